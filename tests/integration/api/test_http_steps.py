"""`http.request` from the API to the executor: what is checked on saving, and credentials by name."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest

from contracts.causes import CAUSES, Retry
from contracts.jobs.steps import StepSpec
from contracts.runs.states import TaskState
from infra.database import sessions_of
from infra.egress import AddressRule, Egress
from infra.sealing import PrivateRing, generate_pair
from tests.support.api import Api
from tests.support.certificates import a_certificate
from tests.support.engine import Engine
from tests.support.http_server import Asked, Reply, http_server
from workers.executor.holding import Claimed
from workers.executor.output import AttemptOutput, Chunk
from workers.executor.running import RunningAttempt
from workers.executor.steps.http_request import HttpRequestPlugin
from workers.executor.stored import StoredChunk
from workers.executor.surroundings import Surroundings
from workers.executor.vault import SealedVault
from workers.executor.verdicts import Ended, error_of


async def problems(api: Api, step: dict[str, Any], **job: Any) -> list[tuple[str, str]]:
    body = {"name": "x", "parameters": {"p": "x"}, "steps": [{"type": "http.request"} | step]} | job
    response = await api.client.post("/api/v1/jobs", json=body)
    assert response.status_code == 422, response.text
    return [(problem["field"], problem["reason"]) for problem in response.json()["errors"]]


async def test_what_cannot_be_bound_is_named_when_the_job_is_saved(api: Api) -> None:
    found = await problems(
        api,
        {
            "url": "https://{{ p }}@h.test/{{ nobody }}",
            "method": "POST",
            "headers": {"X-A": "{{ nobody }}", "X-B": "a\nb"},
            "query": {"q": ["{{ nobody }}"]},
            "body": {"a": {"{{ p }}": 1}},
            "assert": {"json": [{"path": "$.a", "equals": "{{ nobody }}"}], "body_contains": "{{ nobody }}"},
        },
    )

    assert [field for field, _ in found] == [
        "steps.0.url",
        "steps.0.url",
        "steps.0.headers.X-A",
        "steps.0.headers.X-B",
        "steps.0.body.a",
        "steps.0.query.q.0",
        "steps.0.assert.json.0.equals",
        "steps.0.assert.body_contains",
    ]


async def test_a_credential_that_does_not_exist_is_named_when_the_job_is_saved(api: Api) -> None:
    step = {"url": "https://h.test/", "credential": "nobody"}

    assert await problems(api, step) == [("steps.0.credential", "there is no credential named nobody")]


@dataclass
class Kept:
    """Keeps what an attempt writes."""

    ended: list[Ended] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    async def store_handle(self, task: Claimed, handle: str) -> None:
        """Nothing takes this attempt over."""

    async def store_chunk(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    async def stored_output(self, task: Claimed) -> tuple[int, dict[str, int]]:
        return 0, {}

    async def stored_chunks(self, task: Claimed) -> AsyncIterator[StoredChunk]:
        nothing: list[StoredChunk] = []
        for chunk in nothing:
            yield chunk

    async def leave(self, task: Claimed) -> None:
        """No session is counted here."""

    async def leave_behind(self, task: Claimed, spec: StepSpec, *, why: str, what: str) -> None:
        """A request leaves nothing."""

    async def cleared(self, task: Claimed) -> None:
        """A request leaves nothing."""

    async def settle(self, task: Claimed, spec: StepSpec, ended: Ended, output: AttemptOutput | None) -> None:
        self.ended.append(ended)


async def executed(api: Api, run: UUID, *, ring: PrivateRing | None = None) -> tuple[Kept, Claimed]:
    """The run's only task, carried out in this process, with its credentials' ring or another."""
    engine = Engine(api.engine)
    await engine.start(run)
    [task] = await engine.claim(await engine.worker())
    async with engine.sessions() as session:
        definitions = await engine.definitions.of(session, [task.definition_key])
    kept = Kept()
    plugin = HttpRequestPlugin(Egress(AddressRule(["127.0.0.0/8"])))
    around = Surroundings(
        ledger=kept,
        vault=SealedVault(sessions_of(api.engine), ring or api.ring),
        plugins={plugin.type: plugin},
        still_mine=lambda: None,
        artifacts=Mock(),
        reporter=lambda _: lambda _: None,
    )
    await RunningAttempt(task, definitions[task.definition_key], around).run()
    await plugin.close()
    return kept, task


async def _echo(asked: Asked) -> Reply:
    heard = asked.headers.get("authorization", "")
    return Reply(200, b'{"heard": "%s"}' % heard.encode(), {"content-type": "application/json"})


async def test_a_named_credential_is_opened_audited_and_hidden_wherever_it_comes_back(api: Api) -> None:
    made = await api.client.post(
        "/api/v1/credentials", json={"name": "deploy", "type": "api_key", "token": "S3cret-t0ken"}
    )
    assert made.status_code == 201, made.text
    async with http_server(_echo) as server:
        step = {"type": "http.request", "url": server.url, "credential": "deploy"}
        keeping = await api.a_job(name="keeps", steps=[step | {"outputs": {"heard": "$.heard"}}])
        asserting = await api.a_job(
            name="asserts", steps=[step | {"assert": {"json": [{"path": "$.heard", "equals": "else"}]}}]
        )
        kept, task = await executed(api, await api.a_run(keeping))
        failed, _ = await executed(api, await api.a_run(asserting))

    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer S3cret-t0ken"] * 2
    [ended] = kept.ended
    assert (ended.state, ended.outputs) == (TaskState.SUCCEEDED, {"status": 200, "heard": "Bearer ***"})
    assert "S3cret" not in "".join(chunk.data for chunk in kept.chunks)
    error = error_of(failed.ended[0]) or {}
    assert "Bearer ***" in error["message"]
    uses = await api.rows(
        "SELECT subject_id, detail->>'task_id' AS task FROM audit WHERE action = 'credential.use' ORDER BY id"
    )
    assert (str(uses[0].subject_id), uses[0].task) == (made.json()["id"], str(task.id))
    [attempt] = await api.rows("SELECT credential_version FROM attempts WHERE task_id = :id", id=task.id)
    assert attempt.credential_version == 1


async def test_a_credential_removed_meanwhile_fails_the_step_with_that_reason(api: Api) -> None:
    made = await api.client.post(
        "/api/v1/credentials", json={"name": "gone", "type": "api_key", "token": "S3cret-t0ken"}
    )
    job = await api.a_job(steps=[{"type": "http.request", "url": "https://h.test/", "credential": "gone"}])
    await api.execute("UPDATE credentials SET archived_at = now()")
    kept, _ = await executed(api, await api.a_run(job))

    assert made.status_code == 201
    [ended] = kept.ended
    assert (ended.cause and ended.cause.code) == "credential_unfit"
    assert "no credential named gone" in (error_of(ended) or {})["message"]


@pytest.mark.provokes("credential_unreadable")
async def test_an_executor_without_the_key_says_that_it_cannot_open_the_credential(api: Api) -> None:
    await api.client.post(
        "/api/v1/credentials", json={"name": "sealed", "type": "api_key", "token": "S3cret-t0ken"}
    )
    async with http_server(_echo) as server:
        job = await api.a_job(steps=[{"type": "http.request", "url": server.url, "credential": "sealed"}])
        kept, _ = await executed(api, await api.a_run(job), ring=PrivateRing([generate_pair()[0]]))

    assert (error_of(kept.ended[0]) or {})["code"] == "credential_unreadable"
    assert server.asked == []


@pytest.mark.provokes("http_auth_rejected")
@pytest.mark.parametrize("status", [401, 403])
async def test_a_credential_that_a_service_does_not_accept_is_told_as_such_and_not_held(
    api: Api, status: int
) -> None:
    await api.client.post(
        "/api/v1/credentials",
        json={"name": "basic", "type": "winrm", "username": "ops", "password": "S3cret-word"},
    )
    async with http_server(Reply(status)) as server:
        step = {"type": "http.request", "url": server.url, "credential": "basic"}
        job = await api.a_job(name="refused", steps=[step | {"retry": {"attempts": 3, "backoff": 0}}])
        refused, _ = await executed(api, await api.a_run(job))
        expecting = await api.a_job(name="expects", steps=[step | {"assert": {"status": status}}])
        expected, _ = await executed(api, await api.a_run(expecting))

    assert (error_of(refused.ended[0]) or {})["code"] == "http_auth_rejected"
    assert CAUSES["http_auth_rejected"].retry is Retry.NEVER
    assert expected.ended[0].state == TaskState.SUCCEEDED
    assert await api.rows("SELECT 1 FROM credential_holds") == []


async def test_a_named_credential_on_hold_is_not_sent_and_its_next_version_is(api: Api) -> None:
    await api.client.post(
        "/api/v1/credentials", json={"name": "held", "type": "api_key", "token": "S3cret-t0ken"}
    )
    await api.execute("UPDATE credentials SET held_reason = 'two targets', held_at = now(), held_version = 1")
    async with http_server(_echo) as server:
        step = {"type": "http.request", "url": server.url, "credential": "held"}
        job = await api.a_job(steps=[step])
        held, _ = await executed(api, await api.a_run(job))
        assert server.asked == []
        await api.execute("UPDATE credentials SET held_version = 0")
        sent, _ = await executed(api, await api.a_run(job))

    assert (error_of(held.ended[0]) or {})["code"] == "credential_held"
    assert sent.ended[0].state == TaskState.SUCCEEDED


async def test_a_certificate_credential_is_shown_as_client_certificate(api: Api) -> None:
    host, ours = a_certificate("127.0.0.1"), a_certificate("ops")
    context = host.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ours.certificate)
    made = await api.client.post(
        "/api/v1/credentials",
        json={
            "name": "badge",
            "type": "certificate",
            "certificate": ours.certificate,
            "private_key": ours.key,
        },
    )
    assert made.status_code == 201, made.text
    async with http_server(tls=context) as server:
        step = {"type": "http.request", "url": server.url, "tls": {"fingerprint": host.fingerprint}}
        shown, _ = await executed(
            api, await api.a_run(await api.a_job(name="a", steps=[step | {"credential": "badge"}]))
        )
        hidden, _ = await executed(api, await api.a_run(await api.a_job(name="b", steps=[step])))

    assert shown.ended[0].state == TaskState.SUCCEEDED, error_of(shown.ended[0])
    assert hidden.ended[0].state == TaskState.FAILED
