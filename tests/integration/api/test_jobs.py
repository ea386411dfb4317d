"""Jobs: what can be saved, and what is refused with field and line."""

from typing import Any

import pytest

from tests.support.api import Api

WAITS = {"type": "wait", "seconds": 0}
YAML_JOB = """
name: from yaml
parameters:
  svc: Spooler
steps:
  - type: wait
    seconds: 0
"""


async def refused(api: Api, document: Any) -> dict[str, Any]:
    """The problem a definition is refused with; nothing may have been written."""
    response = await api.client.post("/api/v1/jobs", json=document)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert (await api.count("jobs"), await api.count("job_versions"), await api.count("outbox")) == (0, 0, 0)
    return dict(response.json())


async def test_an_unknown_step_type_is_refused_and_leaves_nothing_behind(api: Api) -> None:
    problem = await refused(api, {"name": "x", "steps": [{"type": "teleport"}]})

    assert problem["code"] == "invalid"
    assert problem["errors"][0]["field"].startswith("steps.0")


async def test_a_target_that_does_not_exist_is_named_with_its_field(api: Api) -> None:
    step = {"type": "ssh.exec", "target": "nowhere", "command": "true"}

    problem = await refused(api, {"name": "x", "steps": [WAITS, step], "targets": ["gone"]})

    assert {(e["field"], e["reason"]) for e in problem["errors"]} == {
        ("targets.0", "there is no target named gone"),
        ("steps.1.target", "there is no target named nowhere"),
    }


async def test_a_placeholder_that_would_be_code_is_refused_with_its_line(api: Api) -> None:
    await api.a_target("web-1")
    step = {"type": "ssh.exec", "target": "web-1", "command": "true\necho '{{ word }}'"}

    problem = await refused(api, {"name": "x", "parameters": {"word": "a"}, "steps": [step]})

    [error] = problem["errors"]
    assert (error["field"], error["line"]) == ("steps.0.command", 2)
    assert "word" in error["reason"]


async def test_an_undeclared_placeholder_is_refused(api: Api) -> None:
    await api.a_target("web-1")
    step = {"type": "winrm.exec", "target": "web-1", "command": "Get-Service {{ nobody }}"}

    problem = await refused(api, {"name": "x", "steps": [step]})

    assert problem["errors"][0]["field"] == "steps.0.command"


async def test_a_definition_may_be_yaml_and_mistakes_name_their_line(api: Api) -> None:
    headers = {"content-type": "application/yaml"}

    saved = await api.client.post("/api/v1/jobs", content=YAML_JOB, headers=headers)
    broken = await api.client.post("/api/v1/jobs", content="name: x\nsteps:\n  - {", headers=headers)
    doubled = await api.client.post("/api/v1/jobs", content="name: x\nname: y\n", headers=headers)
    bomb = await api.client.post("/api/v1/jobs", content="a: &a [1]\nb: [*a, *a]\n", headers=headers)

    assert saved.status_code == 201, saved.text
    assert saved.json()["definition"]["parameters"] == {"svc": "Spooler"}
    assert [r.status_code for r in (broken, doubled, bomb)] == [422] * 3
    assert broken.json()["errors"][0]["line"] >= 3


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_change_is_a_new_version_and_old_ones_stay(api: Api, wrapped: bool) -> None:  # noqa: FBT001
    job = await api.a_job()
    definition = {"name": "waits longer", "steps": [{"type": "wait", "seconds": 2}]}
    body = {"name": "waits longer", "definition": definition} if wrapped else definition

    changed = await api.client.put(f"/api/v1/jobs/{job['id']}", json=body)

    assert changed.status_code == 200, changed.text
    assert (changed.json()["version"], changed.json()["name"]) == (2, "waits longer")
    versions = (await api.client.get(f"/api/v1/jobs/{job['id']}/versions")).json()["items"]
    assert [version["version"] for version in versions] == [2, 1]
    assert versions[1]["definition"]["steps"][0]["seconds"] == 1


async def test_an_edit_of_what_somebody_changed_in_between_is_refused(api: Api) -> None:
    job = await api.a_job()
    path = f"/api/v1/jobs/{job['id']}"
    tag = (await api.client.get(path)).headers["etag"]
    definition = {"name": "waits", "steps": [WAITS]}
    assert (await api.client.put(path, json=definition, headers={"if-match": tag})).status_code == 200

    stale = await api.client.put(path, json=definition, headers={"if-match": tag})
    stale_delete = await api.client.delete(path, headers={"if-match": tag})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale_edit")
    assert stale_delete.status_code == 412
    assert await api.count("job_versions") == 2


async def test_an_archived_job_frees_its_name_and_keeps_its_runs(api: Api) -> None:
    job = await api.a_job()
    run_id = await api.a_run(job)

    assert (await api.client.post("/api/v1/jobs", json=job["definition"])).status_code == 409
    assert (await api.client.delete(f"/api/v1/jobs/{job['id']}")).status_code == 204

    assert (await api.client.get(f"/api/v1/jobs/{job['id']}")).status_code == 404
    assert (await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={})).status_code == 404
    assert (await api.client.post("/api/v1/jobs", json=job["definition"])).status_code == 201
    assert (await api.client.get(f"/api/v1/runs/{run_id}")).status_code == 200


async def test_an_inactive_job_cannot_be_run(api: Api) -> None:
    job = await api.a_job()
    body = {"definition": job["definition"], "active": False}
    assert (await api.client.put(f"/api/v1/jobs/{job['id']}", json=body)).status_code == 200

    response = await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={})

    assert (response.status_code, response.json()["code"]) == (409, "job_inactive")
    assert await api.count("runs") == 0
