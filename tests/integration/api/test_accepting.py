"""Accepting runs in batches: twins, bad neighbours, and commits whose answer was lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.errors import IdempotencyMismatch, OpsError
from contracts.runs.messages import StartRun
from contracts.tables.base import DEFAULT_PROJECT_ID
from gateway.runs.accept import Acceptor
from gateway.runs.requests import Accepted, RunRequest
from infra.ids import uuid7
from infra.unit_of_work import OpenUnitOfWork, UnitOfWork, new_meta
from tests.support.api import Api, gateway


def acceptor(api: Api, open_uow: OpenUnitOfWork | None = None) -> Acceptor:
    return Acceptor(open_uow or api.deps.open_uow, api.deps.definitions, api.deps.sealer)


def a_request(api: Api, job_id: str, **fields: Any) -> RunRequest:
    key = fields.pop("key", None)
    body = fields.pop("body", b"{}")
    if key:
        fields["key"] = api.deps.request_keys.of(key, principal="user:x", route="POST /run", body=body)
    return RunRequest(
        run_id=uuid7(),
        job_id=UUID(job_id),
        project_id=DEFAULT_PROJECT_ID,
        principal="user:x",
        request_id=uuid7(),
        meta=new_meta(principal="user:x"),
        **fields,
    )


async def test_fifty_twins_at_once_make_one_run_and_get_one_answer(api: Api) -> None:
    job = await api.a_job()

    async def ask() -> tuple[int, str]:
        response = await api.client.post(
            f"/api/v1/jobs/{job['id']}/run", json={}, headers={"idempotency-key": "twin"}
        )
        return response.status_code, response.json()["id"]

    answers = set(await asyncio.gather(*(ask() for _ in range(50))))

    [(status, run_id)] = answers
    [run] = await api.rows("SELECT id FROM runs")
    assert (status, str(run.id)) == (202, run_id)
    assert api.relay.types() == ["runs.start-run.v1"]


async def test_twins_on_two_gateways_make_one_run(clean_url: str) -> None:
    async with gateway(clean_url) as one, gateway(clean_url) as two:
        job = await one.a_job()
        requests = [
            replace(
                a_request(api, job["id"]),
                key=one.deps.request_keys.of("t", principal="p", route="r", body=b""),
            )
            for api in (one, two) * 10
        ]

        answers = await asyncio.gather(
            *(api.deps.accept.submit(request) for api, request in zip((one, two) * 10, requests, strict=True))
        )

        assert len({answer.run_id for answer in answers}) == 1
        assert await one.count("runs") == 1


async def test_another_body_under_the_same_key_is_a_mismatch(api: Api) -> None:
    job = await api.a_job(parameters={"a": "1"})
    path, headers = f"/api/v1/jobs/{job['id']}/run", {"idempotency-key": "k"}
    first = await api.client.post(path, json={}, headers=headers)

    other = await api.client.post(path, json={"parameters": {"a": "2"}}, headers=headers)
    again = await api.client.post(path, json={}, headers=headers)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch"), other.text
    assert (again.status_code, again.json()) == (202, first.json())


async def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    job = await api.a_job(parameters={"a": {"type": "integer"}})
    path, headers = f"/api/v1/jobs/{job['id']}/run", {"idempotency-key": "k"}

    refused = await api.client.post(path, json={"parameters": {"a": "one"}}, headers=headers)
    accepted = await api.client.post(path, json={"parameters": {"a": 1}}, headers=headers)

    assert (refused.status_code, accepted.status_code) == (422, 202)


async def test_a_repeated_request_is_answered_though_the_job_is_inactive_by_now(api: Api) -> None:
    job = await api.a_job()
    path, headers = f"/api/v1/jobs/{job['id']}/run", {"idempotency-key": "k"}
    first = await api.client.post(path, json={}, headers=headers)
    await api.execute("UPDATE jobs SET active = false")

    again = await api.client.post(path, json={}, headers=headers)

    assert (again.status_code, again.json()) == (202, first.json())


async def test_a_bad_item_does_not_disturb_its_batch(api: Api) -> None:
    job = await api.a_job()
    good = [a_request(api, job["id"], key=f"k{i}") for i in range(5)]
    bad = a_request(api, job["id"], parameters={"nobody": "asked"}, key="bad")
    nowhere = a_request(api, str(uuid4()))
    twin = a_request(api, job["id"], key="k0")
    impostor = a_request(api, job["id"], key="k1", body=b"other")

    answers = await acceptor(api)([*good[:2], bad, *good[2:], nowhere, twin, impostor])

    assert [answer.run_id for answer in answers if isinstance(answer, Accepted)] == [
        *(request.run_id for request in good),
        good[0].run_id,
    ]
    assert [type(answer) for answer in answers if isinstance(answer, OpsError)][-1] is IdempotencyMismatch
    assert await api.count("runs") == 5
    assert await api.count("idempotency_keys") == 5
    [message] = api.relay.rows
    assert set(StartRun.model_validate_json(message.body).run_ids) == {request.run_id for request in good}


@pytest.mark.parametrize(
    "change", [None, "UPDATE jobs SET active = false", "UPDATE jobs SET archived_at = now()"]
)
async def test_a_commit_whose_answer_was_lost_is_recognised(api: Api, change: str | None) -> None:
    job = await api.a_job()
    requests = [a_request(api, job["id"], key="k"), a_request(api, job["id"])]

    @asynccontextmanager
    async def answer_is_lost() -> AsyncIterator[UnitOfWork]:
        async with api.deps.open_uow() as uow:
            yield uow
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await acceptor(api, answer_is_lost)(requests)
    if change:
        await api.execute(change)
    answers: Sequence[object] = await acceptor(api)(requests)

    assert answers == [Accepted(request.run_id) for request in requests]
    counts = [await api.count(table) for table in ("runs", "outbox", "run_events", "idempotency_keys")]
    assert counts == [2, 1, 2, 1]
    assert len(await api.rows("SELECT 1 FROM audit WHERE action = 'runs.request'")) == 2


async def test_a_failed_commit_is_never_answered_with_success(api: Api) -> None:
    job = await api.a_job()
    await api.execute("""
        CREATE OR REPLACE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no commit today'; END $$
    """)
    for table in ("runs", "targets"):
        await api.execute(f"""
            CREATE CONSTRAINT TRIGGER no_commit AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse_commit()
        """)
    try:
        run = await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={})
        target = await api.client.post(
            "/api/v1/targets", json={"name": "a", "os": "linux", "hostname": "a.test"}
        )
    finally:
        for table in ("runs", "targets"):
            await api.execute(f"DROP TRIGGER no_commit ON {table}")

    assert (run.status_code, target.status_code) == (500, 500)
    assert run.json()["code"] == "internal"
    assert [await api.count(table) for table in ("runs", "targets", "outbox")] == [0, 0, 0]
    assert api.relay.rows == []
