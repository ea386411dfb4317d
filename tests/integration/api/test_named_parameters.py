"""Parameters that name a target or a stored file: what they name has to be there when the run is accepted."""

from typing import Any
from uuid import uuid4

from tests.support.api import Api

DECLARED = {"on": {"type": "date"}, "peer": {"type": "target"}, "notes": {"type": "file"}}


async def _job(api: Api) -> str:
    steps = [
        {"type": "ssh.exec", "command": "echo {{ on }} {{ peer }}"},
        {"type": "ssh.copy", "src": "{{ notes }}", "dest": "/tmp/notes"},
    ]
    return str((await api.a_job(parameters=DECLARED, steps=steps))["id"])


async def _file(api: Api) -> str:
    answer = await api.client.post("/api/v1/artifacts", params={"name": "notes.txt"}, content=b"hello")
    return str(answer.json()["id"])


async def _run(api: Api, job: str, **parameters: Any) -> Any:
    return await api.client.post(
        f"/api/v1/jobs/{job}/run", json={"parameters": parameters, "targets": ["web-1"]}
    )


async def test_what_is_there_is_accepted_and_kept_as_it_was_given(api: Api) -> None:
    await api.a_target("web-1")
    job, notes = await _job(api), await _file(api)

    accepted = await _run(api, job, on="2026-03-31", peer="web-1", notes=notes)

    run = (await api.client.get(f"/api/v1/runs/{accepted.json()['id']}")).json()
    assert accepted.status_code == 202, accepted.text
    assert run["parameters"] == {"on": "2026-03-31", "peer": "web-1", "notes": notes}


async def test_what_is_not_there_is_refused_by_its_name(api: Api) -> None:
    await api.a_target("web-1")
    job = await _job(api)

    refused = await _run(api, job, peer="gone", notes=str(uuid4()))

    problems = {problem["field"]: problem["reason"] for problem in refused.json()["errors"]}
    assert refused.status_code == 422
    assert problems == {
        "parameters.peer": "there is no target named gone",
        "parameters.notes": "there is no stored file with this id",
    }


async def test_what_is_no_date_name_or_id_is_refused_and_spares_its_neighbours(api: Api) -> None:
    await api.a_target("web-1")
    job = await _job(api)

    refused = await _run(api, job, on="tomorrow", peer="x" * 300, notes="no id")
    empty = await _run(api, job, on="", peer="", notes="")

    fields = {problem["field"] for problem in refused.json()["errors"]}
    assert (refused.status_code, fields) == (422, {"parameters.on", "parameters.peer", "parameters.notes"})
    assert empty.status_code == 202, empty.text
