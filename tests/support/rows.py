"""Rows that workers would write, for tests that only look at them."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.clock import now
from infra.ids import uuid7


async def a_task(engine: AsyncEngine, run_id: UUID, *, state: str = "succeeded", **fields: Any) -> UUID:
    """A task of `run_id` with its first attempt."""
    row: dict[str, Any] = {
        "id": uuid7(),
        "run_id": run_id,
        "step_no": 0,
        "ordinal": 0,
        "target_name": "web-1",
        "pool": "default",
        "state": state,
        "attempt": 1,
        "exit_code": None,
        "error": None,
    } | fields
    if row["error"] is not None:
        row["error"] = orjson.dumps(row["error"]).decode()
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO tasks (id, run_id, step_no, ordinal, target_id, target_name, pool, state, attempt,
                                   exit_code, error, started_at, ended_at)
                VALUES (:id, :run_id, :step_no, :ordinal,
                        (SELECT id FROM targets WHERE name = CAST(:target_name AS text) LIMIT 1),
                        CAST(:target_name AS text), :pool, :state, :attempt, :exit_code,
                        CAST(:error AS jsonb), now(), now())
            """),
            row,
        )
        await connection.execute(
            text("""
                INSERT INTO attempts (task_id, number, run_id, worker_id, state)
                VALUES (:id, :attempt, :run_id, :id, :state)
            """),
            row,
        )
    task_id: UUID = row["id"]
    return task_id


async def a_chunk(
    connection: AsyncConnection, run_id: UUID, task_id: UUID, seq: int, data: str, *, stream: str = "stdout"
) -> None:
    """One piece of output, in the caller's transaction."""
    await connection.execute(
        text("""
            INSERT INTO output_chunks (task_id, attempt, seq, occurred_at, run_id, stream, data, source_end)
            VALUES (:task_id, 1, :seq, :now, :run_id, :stream, :data, 0)
        """),
        {"task_id": task_id, "seq": seq, "now": now(), "run_id": run_id, "stream": stream, "data": data},
    )


async def output(
    engine: AsyncEngine, run_id: UUID, task_id: UUID, *pieces: str, stream: str = "stdout", first: int = 0
) -> None:
    for seq, data in enumerate(pieces, first):
        async with engine.begin() as connection:
            await a_chunk(connection, run_id, task_id, seq, data, stream=stream)


async def settled(engine: AsyncEngine) -> None:
    """Returns when whatever was committed before lies below every transaction still open in the whole server.

    Ranges of a log end there, and other tests write into databases of the same server meanwhile.
    """
    async with engine.begin() as connection:
        mine = await connection.scalar(text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)"))
    below = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) > :mine")
    async with engine.connect() as connection:
        while not await connection.scalar(below, {"mine": mine}):
            await connection.rollback()
            await asyncio.sleep(0.01)


async def end_run(
    engine: AsyncEngine, run_id: UUID, status: str = "succeeded", reason: str | None = None
) -> None:
    """What the orchestrator writes when a run ends."""
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE runs SET status = 'running' WHERE id = :id AND status = 'requested'"), {"id": run_id}
        )
        await connection.execute(
            text("UPDATE runs SET status = :status, ended_at = now(), reason = :reason WHERE id = :id"),
            {"id": run_id, "status": status, "reason": reason},
        )
        await connection.execute(
            text("INSERT INTO run_events (run_id, kind, event) VALUES (:id, 'run', CAST(:event AS jsonb))"),
            {"id": run_id, "event": orjson.dumps({"status": status}).decode()},
        )
