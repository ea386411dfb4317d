"""Promises to go back to a target: kept at the right time, within its sessions, and not for ever."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.jobs.definition import parse_definition
from infra.ids import uuid7
from infra.process import Process
from tests.support.engine import Engine
from workers import leases
from workers.caretaker.usecases import free_forgotten_seats
from workers.executor import left_behind, seats
from workers.executor.holding import Claimed
from workers.executor.ledger import BatchedLedger
from workers.executor.left_behind import (
    FIRST_PAUSE_SECONDS,
    GIVE_UP_AFTER,
    LONGEST_PAUSE_SECONDS,
    TRIES_AT_MOST,
    is_over,
    pause_after,
)

STEP = {"type": "ssh.copy", "content_base64": "", "dest": "/tmp/f", "needs": []}


@given(st.integers(0, 10_000))
def test_the_pauses_grow_to_an_hour_and_come_to_an_end(tries: int) -> None:
    assert FIRST_PAUSE_SECONDS <= pause_after(tries) <= pause_after(tries + 1) <= LONGEST_PAUSE_SECONDS
    assert is_over(tries, timedelta(0)) == (tries >= TRIES_AT_MOST)
    assert is_over(tries, GIVE_UP_AFTER) == (tries > 0), "who could not go in time goes once"


async def _ended(engine: Engine, *, steps: int = 1, places: int = 1, state: str = "failed") -> list[Claimed]:
    """Attempts that are over, with their seats given back."""
    await engine.targets(1)
    credential = uuid7()
    await engine.execute(
        """INSERT INTO credentials (id, project_id, name, type, username, current_version, created_by)
           SELECT :id, id, 'ops', 'ssh', 'ops', 1, 'test' FROM projects LIMIT 1""",
        id=credential,
    )
    await engine.execute(
        "UPDATE targets SET credential_id = :c, ssh = jsonb_build_object('max_concurrent', CAST(:n AS int))",
        c=credential,
        n=places,
    )
    await engine.start(await engine.run(*[STEP] * steps, targets=["t0"]))
    worker, ended = await engine.worker(), []
    while claimed := await engine.claim(worker):
        await engine.settle(claimed, state)
        async with engine.sessions.begin() as session:
            await seats.leave(session, [(task.id, task.attempt) for task in claimed])
        ended += claimed
    assert len(ended) == steps
    return ended


async def _note(engine: Engine, task: Claimed, why: str = "it was away") -> bool:
    assert task.target is not None
    async with engine.sessions.begin() as session:
        return await left_behind.note(
            session,
            (task.id, task.attempt),
            target_id=UUID(str(task.target["id"])),
            account="ops",
            protocol="ssh",
            why=why,
        )


async def _take(engine: Engine, pool: str = "default") -> list[tuple[UUID, int]]:
    worker = await engine.worker()
    async with engine.sessions.begin() as session:
        return await left_behind.take_due(session, worker_id=worker, pools=[pool], limit=10)


async def _make_due(engine: Engine) -> None:
    await engine.execute("UPDATE left_behind SET next_at = now()")


async def _leave(engine: Engine, *tasks: Claimed) -> None:
    async with engine.sessions.begin() as session:
        await seats.leave(session, [(task.id, task.attempt) for task in tasks])


async def _waits(engine: Engine) -> float:
    return float(await engine.scalar("SELECT EXTRACT(EPOCH FROM next_at - now())::float8 FROM left_behind"))


async def test_somebody_goes_back_when_it_is_time_one_at_once_and_more_and_more_rarely(
    engine: Engine,
) -> None:
    [task] = await _ended(engine)
    assert await _note(engine, task)
    assert await _take(engine) == [], "not yet"
    await _make_due(engine)
    assert await _take(engine, pool="elsewhere") == []

    waits = []
    for _ in range(4):
        await _make_due(engine)
        assert await _take(engine) == [(task.id, task.attempt)]
        await _make_due(engine)
        assert await _take(engine) == [], "somebody is at it"
        await engine.execute("UPDATE left_behind SET next_at = now() + interval '1 s' * 15 * 2 ^ tries")
        assert await _note(engine, task, "away still")
        waits.append(await _waits(engine))
        await _leave(engine, task)

    assert waits == sorted(waits)
    assert waits[-1] > 2 * waits[0]
    [row] = await engine.rows("SELECT tries, why FROM left_behind")
    assert (row.tries, row.why) == (4, "away still")


async def test_who_goes_back_takes_a_session_and_waits_for_one_without_counting(engine: Engine) -> None:
    one, two = await _ended(engine, steps=2, places=1)
    for task in (one, two):
        await _note(engine, task)
    await _make_due(engine)

    [first] = await _take(engine)

    assert sorted(row.tries for row in await engine.rows("SELECT tries FROM left_behind")) == [0, 1]
    assert await engine.scalar("SELECT count(*) FROM seats") == 1
    await _leave(engine, one, two)
    await _make_due(engine)
    taken = await _take(engine)
    assert len(taken) == 1, "the other one waits for the next free session"
    assert first in {(one.id, one.attempt), (two.id, two.attempt)}


async def test_nobody_goes_back_before_the_task_has_ended(engine: Engine) -> None:
    """Its next attempt may go on with what is there, or be at it."""
    [task] = await _ended(engine, state="pending")
    await _note(engine, task, "half a file")
    for state in ("pending", "ready", "running"):
        await engine.execute("UPDATE tasks SET state = :s", s=state)
        await _make_due(engine)
        assert await _take(engine) == []

    await engine.execute("UPDATE tasks SET state = 'cancelled', ended_at = now()")

    assert await _take(engine) == [(task.id, task.attempt)]


async def test_a_visitor_that_is_lost_is_followed_by_another(engine: Engine) -> None:
    [task] = await _ended(engine)
    await _note(engine, task)
    await _make_due(engine)
    await _take(engine)
    visitor = await engine.scalar("SELECT worker_id FROM seats")

    async with engine.open_uow() as uow:
        await leases.release(uow, visitor, reason="lease expired", lost=True)

    other = await engine.worker()
    async with engine.sessions.begin() as session:
        left = await seats.take_left(session, worker_id=other, pools=["default"], limit=5)
    assert left == [(task.id, task.attempt)]


@pytest.mark.parametrize(
    "change",
    [f"tries = {TRIES_AT_MOST}", "tries = 1, since = now() - interval '25 hours'"],
    ids=["after many tries", "after a day"],
)
async def test_at_some_time_nobody_goes_back_any_more(engine: Engine, change: str) -> None:
    [task] = await _ended(engine)
    assert await _note(engine, task)
    await engine.execute(f"UPDATE left_behind SET {change}")

    assert not await _note(engine, task)


async def test_a_target_that_is_gone_needs_nobody(engine: Engine) -> None:
    [task] = await _ended(engine)
    async with engine.sessions.begin() as session:
        again = await left_behind.note(
            session, (task.id, 1), target_id=uuid7(), account="ops", protocol="ssh", why="away"
        )
    assert not again


async def test_a_seat_that_nobody_looked_after_is_freed_and_leaves_a_promise_to_go_there(
    engine: Engine,
) -> None:
    """The executors of a pool may all be away for longer than a seat is kept."""
    [task] = await _ended(engine)
    lost = await engine.worker()
    async with engine.sessions.begin() as session:
        assert task.target is not None
        await seats.take_one(
            session,
            holder=(task.id, task.attempt),
            worker_id=lost,
            target_id=UUID(str(task.target["id"])),
            account="ops",
            protocol="ssh",
        )

    async def freed() -> Any:
        async with engine.sessions.begin() as session:
            await free_forgotten_seats(session)
        return await engine.rows("SELECT task_id, attempt, account, protocol, tries FROM left_behind")

    assert await freed() == [], "it may be closing its session"
    await engine.execute("UPDATE attempts SET ended_at = now() - interval '3 minutes'")

    assert await freed() == [(task.id, task.attempt, "ops", "ssh", 0)]
    assert await engine.scalar("SELECT count(*) FROM seats") == 0
    assert await _take(engine) == [(task.id, task.attempt)]
    await freed()
    assert await engine.scalar("SELECT count(*) FROM seats") == 1, "a visitor keeps its seat"


async def test_the_record_says_what_was_left_where_and_why_when_nobody_goes_back_any_more(
    engine: Engine,
) -> None:
    [task] = await _ended(engine)
    process = SimpleNamespace(sessions=engine.sessions, open_uow=engine.open_uow, gate=_Open())
    ledger = BatchedLedger(cast("Process", process), Mock())
    spec = parse_definition({"name": "job", "steps": [STEP]}).steps[0]

    async def left() -> None:
        await ledger.leave_behind(task, spec, why="it was away", what="/tmp/.ops-1")

    await left()
    assert await engine.rows("SELECT 1 FROM audit WHERE action = 'target.left_behind'") == []
    await engine.execute("UPDATE left_behind SET tries = 1, since = now() - interval '25 hours'")
    await left()

    [row] = await engine.rows(
        "SELECT subject_id, principal, detail FROM audit WHERE action = 'target.left_behind'"
    )
    assert task.target is not None
    assert (str(row.subject_id), row.principal) == (task.target["id"], "system")
    assert row.detail == {
        "run_id": str(task.run_id),
        "task_id": str(task.id),
        "attempt": 1,
        "host": "h0",
        "what": "/tmp/.ops-1",
        "why": "it was away",
    }
    assert await engine.scalar("SELECT count(*) FROM left_behind") == 0


async def test_what_is_cleared_needs_nobody_and_holds_no_session(engine: Engine) -> None:
    [task] = await _ended(engine)
    await _note(engine, task)
    await _make_due(engine)
    await _take(engine)
    process = SimpleNamespace(sessions=engine.sessions, open_uow=engine.open_uow, gate=_Open())

    await BatchedLedger(cast("Process", process), Mock()).cleared(task)

    assert await engine.scalar("SELECT count(*) FROM left_behind") == 0
    assert await engine.scalar("SELECT count(*) FROM seats") == 0


class _Open:
    """A gate in front of a database that is there."""

    async def run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        return await work()
