"""Dead letters: replayed with their subject let go, or discarded with their subject failed."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text

from infra.ids import uuid7
from tests.support.api import Api
from tests.support.rows import a_task


async def a_letter(api: Api, *, body: bytes, wire_type: str | None, **fields: Any) -> UUID:
    row: dict[str, Any] = {
        "id": uuid7(),
        "queue": "orchestrator.start-run",
        "exchange": "ops.commands",
        "routing_key": wire_type or "?",
        "wire_type": wire_type,
        "body": body,
        "headers": orjson.dumps({"correlation-id": str(uuid4())}).decode(),
        "reason": "rejected",
        "subject_kind": None,
        "subject_id": None,
    } | fields
    async with api.engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO dead_letters (id, queue, exchange, routing_key, wire_type, body, headers, reason,
                                          subject_kind, subject_id)
                VALUES (:id, :queue, :exchange, :routing_key, :wire_type, :body, CAST(:headers AS jsonb),
                        :reason, :subject_kind, :subject_id)
            """),
            row,
        )
        if row["subject_kind"]:
            await connection.execute(
                text(f"UPDATE {row['subject_kind']}s SET parked_by = :id WHERE id = :subject_id"), row
            )
    letter_id: UUID = row["id"]
    return letter_id


async def a_parked_run(api: Api) -> tuple[UUID, UUID]:
    run_id = await api.a_run()
    body = orjson.dumps({"run_id": run_id})
    letter = await a_letter(
        api, body=body, wire_type="runs.start-run.v1", subject_kind="run", subject_id=run_id
    )
    api.relay.rows.clear()
    return run_id, letter


async def test_a_replay_sends_the_message_again_and_lets_its_run_go(api: Api) -> None:
    run_id, letter = await a_parked_run(api)

    answers = [await api.client.post(f"/api/v1/dlq/{letter}/replay") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["status"] == "replayed"
    [sent] = api.relay.rows
    assert (sent.wire_type, orjson.loads(sent.body)) == (
        "runs.start-run.v1",
        {"run_id": str(run_id)},
    )
    assert (await api.rows("SELECT parked_by FROM runs"))[0][0] is None
    assert (await api.client.post(f"/api/v1/dlq/{letter}/discard", json={"reason": "x"})).status_code == 409


async def test_a_discard_fails_the_parked_run_with_its_reason(api: Api) -> None:
    run_id, letter = await a_parked_run(api)
    await a_task(api.engine, run_id, state="ready")

    answer = await api.client.post(f"/api/v1/dlq/{letter}/discard", json={"reason": "The job is broken."})

    assert (answer.status_code, answer.json()["status"]) == (200, "discarded")
    run = (await api.client.get(f"/api/v1/runs/{run_id}")).json()
    assert (run["status"], run["parked_by"], run["tasks"]) == ("failed", None, {"cancelled": 1})
    assert "The job is broken." in run["reason"]
    assert api.relay.types() == ["runs.cancel-requested.v1"]


@pytest.mark.provokes("dead_lettered")
async def test_a_discard_fails_the_parked_task_and_has_its_run_planned_again(api: Api) -> None:
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id, state="ready")
    body = orjson.dumps({"run_id": run_id, "pool": "default", "task_ids": [task_id]})
    letter = await a_letter(
        api, body=body, wire_type="runs.execute-tasks.v1", subject_kind="task", subject_id=task_id
    )
    api.relay.rows.clear()

    await api.client.post(f"/api/v1/dlq/{letter}/discard", json={"reason": "never"})

    [task] = await api.rows("SELECT state, unplanned, parked_by, fence, error FROM tasks")
    assert (task.state, task.unplanned, task.parked_by, task.fence) == ("failed", True, None, 1)
    assert task.error["code"] == "dead_lettered"
    assert api.relay.types() == ["runs.advance-run.v1"]


@pytest.mark.parametrize(
    ("body", "wire_type"),
    [
        (b"\xff\x00", "runs.start-run.v1"),
        (b"{}", "runs.start-run.v1"),
        (b"{}", "runs.nobody.v1"),
        (b"{}", None),
    ],
)
async def test_what_is_no_message_can_be_read_and_discarded_only(
    api: Api, body: bytes, wire_type: str | None
) -> None:
    letter = await a_letter(api, body=body, wire_type=wire_type)

    shown = (await api.client.get(f"/api/v1/dlq/{letter}")).json()
    replayed = await api.client.post(f"/api/v1/dlq/{letter}/replay")
    discarded = await api.client.post(f"/api/v1/dlq/{letter}/discard", json={"reason": "junk"})

    assert shown["body_encoding"] == ("text" if body == b"{}" else "base64")
    assert (replayed.status_code, replayed.json()["code"]) == (409, "not_replayable")
    assert discarded.status_code == 200
    assert (await api.client.get("/api/v1/dlq?status=open")).json()["items"] == []
    assert len((await api.client.get("/api/v1/dlq?status=discarded")).json()["items"]) == 1


async def a_parked_test(api: Api) -> tuple[UUID, UUID]:
    target = await api.a_target()
    ordered = await api.client.post(f"/api/v1/targets/{target['id']}/test")
    test_id = UUID(ordered.json()["id"])
    letter = await a_letter(
        api,
        body=orjson.dumps({"test_id": test_id, "pool": "default"}),
        wire_type="targets.test-connection.v1",
        subject_kind="connection_test",
        subject_id=test_id,
    )
    api.relay.rows.clear()
    return test_id, letter


async def test_a_parked_connection_test_goes_on_after_a_replay_and_fails_when_discarded(api: Api) -> None:
    replayed, letter = await a_parked_test(api)
    parked = (await api.client.get(f"/api/v1/connection-tests/{replayed}")).json()
    assert parked["waiting_for"] == "a dead letter about it: replay or discard it"

    assert (await api.client.post(f"/api/v1/dlq/{letter}/replay")).status_code == 200
    assert api.relay.types() == ["targets.test-connection.v1"]
    assert (await api.client.get(f"/api/v1/connection-tests/{replayed}")).json()["parked_by"] is None

    await api.execute("UPDATE targets SET name = 'other'")
    discarded, letter = await a_parked_test(api)
    gone = await api.client.post(f"/api/v1/dlq/{letter}/discard", json={"reason": "of no use"})
    assert gone.status_code == 200, gone.text
    ended = (await api.client.get(f"/api/v1/connection-tests/{discarded}")).json()
    assert (ended["status"], ended["error"]["code"]) == ("failed", "dead_lettered")


async def test_a_letter_of_a_newer_schema_waits_for_a_newer_gateway(api: Api) -> None:
    body = orjson.dumps({"run_id": str(await api.a_run())})
    newer = await a_letter(api, body=body, wire_type="runs.start-run.v1", headers='{"schema-version": 2}')
    same = await a_letter(api, body=body, wire_type="runs.start-run.v1", headers='{"schema-version": 1}')
    api.relay.rows.clear()

    refused = await api.client.post(f"/api/v1/dlq/{newer}/replay")
    sent = await api.client.post(f"/api/v1/dlq/{same}/replay")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_replayable")
    assert "schema version 2" in refused.json()["detail"]
    assert sent.json()["status"] == "replayed"
    assert api.relay.types() == ["runs.start-run.v1"]
