"""Parameters that choose: several of a list, choices that follow another value, and credentials by name."""

from typing import Any
from uuid import UUID

from contracts.access.roles import Role
from tests.integration.api.test_http_steps import _echo, executed
from tests.support.api import Api
from tests.support.engine import Engine
from tests.support.http_server import http_server
from workers.executor.holding import Claimed
from workers.executor.verdicts import error_of

SERVICES = {"type": "multi", "choices": ["web", "db", "it's $(x)"], "min_items": 1}
BY_SITE = {"depends_on": "site", "choices_for": {"berlin": ["b1"], "paris": ["p1"]}}


async def _credential(api: Api, name: str) -> str:
    body = {"name": name, "type": "ssh", "username": f"user-{name}", "password": "S3cret-word"}
    answer = await api.client.post("/api/v1/credentials", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _run(api: Api, job: dict[str, Any], **parameters: Any) -> Any:
    return await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={"parameters": parameters})


async def _shown(api: Api, run: str) -> dict[str, Any]:
    return dict((await api.client.get(f"/api/v1/runs/{run}")).json())


def _problems(answer: Any) -> dict[str, str]:
    return {problem["field"]: problem["reason"] for problem in answer.json()["errors"]}


async def test_several_choices_are_kept_as_a_list_also_when_the_run_is_repeated(api: Api) -> None:
    await api.a_target("web-1")
    step = {"type": "ssh.exec", "command": "printf %s {{ services }}", "target": "web-1"}
    job = await api.a_job(parameters={"services": SERVICES}, steps=[step])

    accepted = await _run(api, job, services=["it's $(x)", "web"])
    again = await api.client.post(f"/api/v1/runs/{accepted.json()['id']}/rerun", json={})
    refused = await _run(api, job, services=["web", "mail"])

    assert accepted.status_code == 202, accepted.text
    for run in (accepted, again):
        assert (await _shown(api, run.json()["id"]))["parameters"] == {"services": ["it's $(x)", "web"]}
    assert _problems(refused) == {
        "parameters.services": "mail is not a choice; it must be one of web, db, it's $(x)"
    }


async def test_choices_that_follow_another_value_are_checked_when_the_run_is_accepted(api: Api) -> None:
    parameters = {"site": {"choices": ["berlin", "paris"]}, "server": BY_SITE}
    job = await api.a_job(parameters=parameters)

    accepted = await _run(api, job, site="paris", server="p1")
    refused = await _run(api, job, site="paris", server="b1")

    assert accepted.status_code == 202, accepted.text
    assert _problems(refused) == {"parameters.server": "must be one of p1 while site is paris"}


async def test_a_list_or_a_credential_where_none_can_stand_is_refused_when_the_job_is_saved(api: Api) -> None:
    await api.a_target("web-1")
    document = {
        "name": "x",
        "targets": ["web-1"],
        "parameters": {"many": SERVICES, "who": {"type": "credential"}, "text": {}},
        "steps": [
            {"type": "winrm.exec", "shell": "cmd", "command": "echo {{ many }}"},
            {"type": "ssh.exec", "command": "echo {{ who }}"},
            {"type": "ssh.copy", "content_base64": "", "dest": "/tmp/{{ many }}"},
            {"type": "ssh.exec", "command": "id", "credential": "{{ text }}"},
            {"type": "ssh.exec", "command": "id", "credential": "x {{ who }}"},
            {"type": "ssh.exec", "command": "id", "credential": "{{ nobody }}"},
            {"type": "http.request", "url": "https://h.test/{{ many }}", "headers": {"X-A": "{{ many }}"}},
            {"type": "http.request", "url": "https://h.test/", "query": {"s": "{{ many }}"}},
            {"type": "ssh.exec", "command": "id", "env": {"S": "{{ many }}"}, "stdin": "{{ many }}"},
        ],
    }

    refused = await api.client.post("/api/v1/jobs", json=document)

    fields = {problem["field"] for problem in refused.json()["errors"]}
    assert fields == {
        "steps.0.command",
        "steps.1.command",
        "steps.2.dest",
        "steps.3.credential",
        "steps.4.credential",
        "steps.5.credential",
        "steps.6.url",
        "steps.6.headers.X-A",
    }


async def test_a_default_credential_has_to_be_there_when_the_job_is_saved(api: Api) -> None:
    document = {
        "name": "x",
        "parameters": {"who": {"type": "credential", "default": "gone", "choices": ["gone", "deploy"]}},
        "steps": [{"type": "wait", "seconds": 1}],
    }
    await _credential(api, "deploy")

    refused = await api.client.post("/api/v1/jobs", json=document)
    checked = await api.client.post("/api/v1/jobs/validate", json=document)

    assert _problems(refused) == {"parameters.who.default": "there is no credential named gone"}
    assert [problem["path"] for problem in checked.json()["problems"]] == ["parameters.who.default"]


async def test_a_credential_is_chosen_by_name_stored_by_id_and_shown_by_name(api: Api) -> None:
    deploy = await _credential(api, "deploy")
    job = await api.a_job(parameters={"who": {"type": "credential", "required": True}})

    accepted = await _run(api, job, who="deploy")
    again = await api.client.post(f"/api/v1/runs/{accepted.json()['id']}/rerun", json={})
    refused = await _run(api, job, who="nobody")

    for run in (accepted, again):
        shown = await _shown(api, run.json()["id"])
        assert (shown["parameters"], shown["parameter_names"]) == ({"who": deploy}, {"who": "deploy"})
    assert _problems(refused) == {"parameters.who": "there is no credential named nobody"}


async def test_who_may_not_use_credentials_cannot_choose_one_but_runs_what_the_job_names(
    api: Api, monkeypatch: Any
) -> None:
    await _credential(api, "deploy")
    await _credential(api, "other")
    job = await api.a_job(parameters={"who": {"type": "credential", "default": "deploy"}})
    monkeypatch.setattr("gateway.deps.allows", lambda role, permission: "credentials" not in permission)
    await api.sign_in_as(Role.OPERATOR)

    refused = await _run(api, job, who="other")
    own = await _run(api, job)

    assert refused.status_code == 403, refused.text
    assert "credentials:use" in refused.json()["detail"]
    assert own.status_code == 202


async def test_a_credential_removed_meanwhile_is_refused_by_its_old_id_when_a_run_is_repeated(
    api: Api,
) -> None:
    deploy = await _credential(api, "deploy")
    job = await api.a_job(parameters={"who": {"type": "credential"}})
    accepted = await _run(api, job, who="deploy")
    await api.execute("UPDATE credentials SET archived_at = now()")

    again = await api.client.post(f"/api/v1/runs/{accepted.json()['id']}/rerun", json={})

    assert _problems(again) == {"parameters.who": f"there is no credential named {deploy}"}


async def _claimed(api: Api, run: UUID) -> Claimed:
    engine = Engine(api.engine)
    await engine.start(run)
    [task] = await engine.claim(await engine.worker())
    return task


async def test_a_step_logs_in_with_the_credential_of_its_parameter_in_a_session_of_that_account(
    api: Api,
) -> None:
    own, chosen = await _credential(api, "own"), await _credential(api, "chosen")
    await api.a_target("web-1", credential_id=own)
    step = {"type": "ssh.exec", "command": "id", "credential": "{{ who }}", "target": "web-1"}
    job = await api.a_job(parameters={"who": {"type": "credential"}}, steps=[step])

    for given, credential, account in (
        ({"who": "chosen"}, chosen, "user-chosen"),
        ({"who": ""}, own, "user-own"),
        ({}, own, "user-own"),
    ):
        accepted = await _run(api, job, **given)
        task = await _claimed(api, UUID(accepted.json()["id"]))

        assert task.credential is not None
        assert str(task.credential["credential_id"]) == credential
        seats = await api.rows("SELECT account FROM seats WHERE task_id = :id", id=task.id)
        assert [seat.account for seat in seats] == [account]
        noted = await api.rows("SELECT credential_id FROM attempts WHERE task_id = :id", id=task.id)
        assert [str(row.credential_id) for row in noted] == [credential]


async def test_a_step_logs_in_with_the_credential_it_names_itself(api: Api) -> None:
    own, named = await _credential(api, "own"), await _credential(api, "named")
    await api.a_target("web-1", credential_id=own)
    step = {"type": "ssh.exec", "command": "id", "credential": "named", "target": "web-1"}
    job = await api.a_job(steps=[step])

    task = await _claimed(api, await api.a_run(job))

    assert task.credential is not None
    assert str(task.credential["credential_id"]) == named


async def test_a_step_whose_chosen_credential_is_gone_never_falls_back_to_the_targets_own(api: Api) -> None:
    own = await _credential(api, "own")
    await _credential(api, "chosen")
    await api.a_target("web-1", credential_id=own)
    step = {"type": "ssh.exec", "command": "id", "credential": "{{ who }}", "target": "web-1"}
    job = await api.a_job(parameters={"who": {"type": "credential"}}, steps=[step])
    accepted = await _run(api, job, who="chosen")
    await api.execute("UPDATE credentials SET archived_at = now() WHERE name = 'chosen'")

    kept, task = await executed(api, UUID(accepted.json()["id"]))

    assert task.credential is None
    assert (error_of(kept.ended[0]) or {})["code"] == "credential_unfit"


async def test_an_http_request_sends_the_chosen_credential_and_none_when_none_is_chosen(api: Api) -> None:
    body = {"name": "hook", "type": "api_key", "token": "S3cret-t0ken"}
    assert (await api.client.post("/api/v1/credentials", json=body)).status_code == 201
    async with http_server(_echo) as server:
        step = {"type": "http.request", "url": server.url, "credential": "{{ who }}"}
        job = await api.a_job(parameters={"who": {"type": "credential"}}, steps=[step])
        for given in ({"who": "hook"}, {}):
            accepted = await _run(api, job, **given)
            await executed(api, UUID(accepted.json()["id"]))

    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer S3cret-t0ken", None]


async def test_people_are_asked_in_the_order_in_which_the_author_wrote_the_parameters(api: Api) -> None:
    source = (
        "name: ordered\nparameters:\n  zone: a\n  b: x\n  longest_of_all: c\n"
        "steps: [{type: wait, seconds: 1}]\n"
    )
    saved = await api.client.post(
        "/api/v1/jobs", content=source, headers={"content-type": "application/yaml"}
    )
    assert saved.status_code == 201, saved.text
    accepted = await _run(api, saved.json())

    job = (await api.client.get(f"/api/v1/jobs/{saved.json()['id']}")).json()
    ran = (await api.client.get(f"/api/v1/runs/{accepted.json()['id']}/definition")).json()

    for shown in (saved.json(), job, ran):
        assert list(shown["definition"]["parameters"]) == ["zone", "b", "longest_of_all"]


async def test_a_job_that_offers_a_credential_by_default_is_among_those_that_use_it(api: Api) -> None:
    deploy = await _credential(api, "deploy")
    await api.a_job(name="offers", parameters={"who": {"type": "credential", "default": "deploy"}, "n": 3})
    await api.a_job(name="says the word", parameters={"who": "deploy"})

    used = (await api.client.get(f"/api/v1/credentials/{deploy}")).json()["used_by"]

    assert [job["name"] for job in used["jobs_sample"]] == ["offers"]
