"""Streams of what surrounds runs: the present picture first, then every change of it."""

from typing import Any

import orjson
import pytest

from contracts.access.roles import Role
from infra.ids import uuid7
from tests.integration.api.test_live import Client, Seen
from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.rows import a_task


async def until(stream: Client, event: str) -> Seen:
    while True:
        seen = await stream.next()
        assert seen is not None
        if seen.event == event:
            return seen


async def a_letter(api: Api) -> None:
    await api.execute(
        """INSERT INTO dead_letters (id, queue, exchange, routing_key, body, headers, reason)
           VALUES (:id, 'q', 'x', 'k', '', '{}', 'rejected')""",
        id=uuid7(),
    )


async def test_a_stream_begins_with_the_present_picture_and_tells_changes(api: Api) -> None:
    async with Client(api, "/api/v1/events", query="topics=dlq,queues,workers,targets").opened() as stream:
        first = dict[str, dict[str, Any]]()
        while len(first) < 4:
            seen = await stream.next()
            assert seen is not None
            first[seen.event] = seen.data
        await a_letter(api)
        changed = await until(stream, "dlq")
        async with Client(api, "/api/v1/events", query="topics=dlq").opened() as late:
            present = await until(late, "dlq")

    assert first["dlq"]["open"] == 0
    assert first["queues"]["queues"] == [{"name": "orchestrator.start-run", "depth": 3, "consumers": 1}]
    assert (first["workers"]["workers"], first["targets"]["total"]) == ([], 0)
    assert changed.data["open"] == 1
    assert present.data == changed.data


async def test_the_list_of_runs_is_told_status_and_progress(api: Api) -> None:
    run_id = await api.a_run()
    async with Client(api, "/api/v1/events", query="topics=runs").opened() as stream:
        await eventually(lambda: run_id in api.deps.hub.board._known)
        tally = orjson.dumps([{"succeeded": 2, "open": 1}]).decode()
        await api.execute(
            "UPDATE runs SET status = 'running', tally = CAST(:tally AS jsonb) WHERE id = :id",
            tally=tally,
            id=run_id,
        )
        task = await a_task(api.engine, run_id, state="running")
        await api.execute("UPDATE tasks SET worker_id = id WHERE id = :id", id=task)
        api.deps.hub.ring([run_id])
        started = await until(stream, "run")
        await api.execute(
            "UPDATE runs SET tally = CAST(:tally AS jsonb) WHERE id = :id",
            tally=orjson.dumps([{"succeeded": 3}]).decode(),
            id=run_id,
        )
        api.deps.hub.ring([run_id])
        later = await until(stream, "run")

    assert (started.data["run_id"], started.data["status"]) == (str(run_id), "running")
    assert (started.data["progress"]["running"], started.data["progress"]["succeeded"]) == (1, 2)
    assert (later.data["status"], later.data["progress"]["succeeded"]) == ("running", 3)


@pytest.mark.parametrize(("topics", "status"), [("dlq", 403), ("workers", 200), ("nothing", 422)])
async def test_a_topic_needs_what_its_lists_need(api: Api, topics: str, status: int) -> None:
    await api.sign_in_as(Role.VIEWER)

    async with Client(api, "/api/v1/events", query=f"topics={topics}").opened() as stream:
        assert stream.status == status
