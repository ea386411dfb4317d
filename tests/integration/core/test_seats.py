"""Sessions of one account on one target: all executors together stay within `max_concurrent`."""

import asyncio
import random
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from infra.ids import uuid7
from tests.support.engine import Engine
from workers import leases
from workers.caretaker.usecases import free_forgotten_seats
from workers.executor import holding, seats
from workers.executor.claims import Claims, claim
from workers.executor.holding import Claimed
from workers.executor.holds import rejected_where
from workers.executor.seats import TestSeat

STEP = {"type": "ssh.exec", "command": "id"}
_TASKS_READ = text(
    "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tasks'"
)
"""Rows of `tasks` that this connection has read lately."""


async def _credential(engine: Engine, username: str = "ops") -> UUID:
    credential = uuid7()
    await engine.execute(
        """INSERT INTO credentials (id, project_id, name, type, username, current_version, created_by)
           SELECT :id, id, :name, 'ssh', :username, 1, 'test' FROM projects LIMIT 1""",
        id=credential,
        name=str(credential),
        username=username,
    )
    return credential


async def _crowd(engine: Engine, *, targets: int, steps: int, places: int | None) -> UUID:
    """A started run with `steps` tasks on each of so many targets of one account."""
    await engine.targets(targets)
    await engine.execute("UPDATE targets SET credential_id = :c", c=await _credential(engine))
    if places is not None:
        await engine.execute(
            "UPDATE targets SET ssh = jsonb_build_object('max_concurrent', CAST(:n AS int))", n=places
        )
    names = [f"t{number}" for number in range(targets)]
    run = await engine.run(*[STEP | {"needs": []}] * steps, targets=names)
    await engine.start(run)
    return run


async def _leave(engine: Engine, *tasks: Claimed) -> None:
    async with engine.sessions.begin() as session:
        await seats.leave(session, [(task.id, task.attempt) for task in tasks])


async def _take_left(engine: Engine, worker: UUID, pool: str = "default") -> list[tuple[UUID, int]]:
    async with engine.sessions.begin() as session:
        return await seats.take_left(session, worker_id=worker, pools=[pool], limit=5)


async def _most_at_once(engine: Engine) -> int:
    rows = await engine.rows(
        """SELECT count(*) AS running FROM tasks WHERE state = 'running' GROUP BY target_id
           ORDER BY 1 DESC LIMIT 1"""
    )
    return int(rows[0].running) if rows else 0


async def test_workers_claiming_at_once_stay_within_the_places_of_each_target(engine: Engine) -> None:
    await _crowd(engine, targets=3, steps=20, places=4)
    workers = [await engine.worker() for _ in range(4)]

    async def work(worker: UUID) -> int:
        done = 0
        for _ in range(200):
            mine = await engine.claim(worker, limit=random.randrange(1, 12))
            assert await _most_at_once(engine) <= 4
            await engine.settle(mine)
            await _leave(engine, *mine)
            done += len(mine)
            if not mine and not await engine.scalar("SELECT count(*) FROM tasks WHERE state = 'ready'"):
                break
        return done

    done = await asyncio.gather(*map(work, workers))

    assert sum(done) == 60
    assert await engine.scalar("SELECT count(*) FROM seats") == 0
    assert await engine.rows("SELECT count(*), max(number) FROM attempts") == [(60, 1)]


async def test_a_full_target_keeps_nobody_behind_it_waiting(engine: Engine) -> None:
    await _crowd(engine, targets=2, steps=30, places=2)
    await engine.execute(
        """UPDATE tasks SET not_before = now() - interval '1 h'
            WHERE target_name = 't0'"""
    )
    worker = await engine.worker()
    claimed: list[Claims] = []
    full: frozenset[UUID] = frozenset()
    for _ in range(3):
        async with engine.sessions.begin() as session:
            claimed.append(await claim(session, worker_id=worker, pools=["default"], limit=10, full=full))
        full |= claimed[-1].full

    assert [len(one.ids) for one in claimed] == [2, 2, 0]
    assert [one.picked for one in claimed] == [10, 10, 0]
    assert len(full) == 2
    rows = await engine.rows("SELECT target_name, count(*) FROM tasks WHERE state = 'running' GROUP BY 1")
    assert sorted(rows) == [("t0", 2), ("t1", 2)]


@pytest.mark.parametrize("plan", ["force_generic_plan", "force_custom_plan"])
async def test_a_claim_reads_the_tasks_it_takes_and_not_all_those_of_their_job(
    engine: Engine, plan: str
) -> None:
    await _crowd(engine, targets=300, steps=1, places=2)
    worker = await engine.worker()
    ended = [task for _ in range(2) for task in await engine.claim(worker, limit=145)]
    await engine.settle(ended)
    await engine.execute("ANALYZE tasks")
    named = [row.id for row in await engine.rows("SELECT id FROM tasks WHERE state = 'ready'")]

    async with engine.sessions.begin() as session:
        await session.execute(text(f"SET LOCAL plan_cache_mode = {plan}"))
        await session.execute(text("SET LOCAL enable_seqscan = off"))  # as with a table of any real size
        before = await session.scalar(_TASKS_READ)
        claimed = await claim(session, worker_id=worker, pools=["default"], limit=10, named=named)
        read = await session.scalar(_TASKS_READ) - before

    assert (len(ended), len(claimed.ids)) == (290, 10)
    assert read < 100


async def test_named_tasks_find_no_way_around_the_places(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=5, places=3)
    named = [row.id for row in await engine.rows("SELECT id FROM tasks")]

    assert len(await engine.claim(await engine.worker(), named=named)) == 3
    assert await engine.claim(await engine.worker(), named=named) == []


async def test_the_default_is_that_of_the_settings_and_needs_a_credential(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=15, places=None)
    worker = await engine.worker()

    assert len(await engine.claim(worker, limit=100)) == 10
    await engine.execute("UPDATE targets SET credential_id = NULL")
    assert len(await engine.claim(worker, limit=100)) == 5


async def test_two_accounts_do_not_share_places(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=4, places=2)
    worker = await engine.worker()
    assert len(await engine.claim(worker)) == 2

    await engine.execute("UPDATE targets SET credential_id = :c", c=await _credential(engine, "other"))

    assert len(await engine.claim(worker)) == 2


async def test_a_place_is_held_until_the_session_is_closed_and_not_while_it_runs(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=3, places=1)
    worker = await engine.worker()
    [task] = await engine.claim(worker)

    await _leave(engine, task)
    assert await engine.claim(worker) == [], "it runs still"
    await engine.settle([task])
    assert await engine.claim(worker) == [], "its session is open still"
    await _leave(engine, task)

    assert len(await engine.claim(worker)) == 1


async def test_places_of_a_lost_worker_stay_with_commands_that_run_and_else_wait_to_be_cleared_up(
    engine: Engine,
) -> None:
    await _crowd(engine, targets=1, steps=4, places=2)
    lost, other = await engine.worker(), await engine.worker()
    running, ended = await engine.claim(lost)
    await engine.settle([ended])
    assert await _take_left(engine, other) == [], "its worker lives"

    async with engine.open_uow() as uow:
        await leases.release(uow, lost, reason="lease expired", lost=True)

    assert await engine.claim(other) == [], "what it left may still be there"
    assert await _take_left(engine, other, pool="elsewhere") == []
    assert await _take_left(engine, other) == [(ended.id, ended.attempt)]
    assert await _take_left(engine, await engine.worker()) == [], "somebody is at it"
    async with engine.sessions.begin() as session:
        assert await holding.adopt(session, worker_id=other, pools=["default"], limit=5) == [running.id]
    assert await engine.rows("SELECT DISTINCT worker_id FROM seats") == [(other,)]
    await _leave(engine, ended)
    assert len(await engine.claim(other)) == 1


async def test_whoever_clears_up_learns_all_it_needs_to_go_back_to_the_target(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=1, places=1)
    [task] = await engine.claim(await engine.worker())
    await engine.execute('UPDATE attempts SET handle = \'{"folder": "/home/ops/x"}\', reattached = 2')
    async with engine.sessions() as session:
        assert await holding.ended(session, [(task.id, task.attempt)]) == [], "it may be going on"
    await engine.settle([task], "failed")

    async with engine.sessions() as session:
        [found] = await holding.ended(session, [(task.id, task.attempt)])

    assert (found.id, found.attempt, found.reattached) == (task.id, task.attempt, 2)
    assert found.handle == {"folder": "/home/ops/x"}
    assert (found.target, found.credential) == (task.target, task.credential)


async def test_a_place_that_was_never_given_back_is_freed_after_a_while(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=3, places=1)
    worker = await engine.worker()
    await engine.settle(await engine.claim(worker))

    async def tidied() -> Any:
        async with engine.sessions.begin() as session:
            await free_forgotten_seats(session)
        return await engine.scalar("SELECT count(*) FROM seats")

    assert await tidied() == 1, "it may be closing its session"
    await engine.execute("UPDATE attempts SET ended_at = now() - interval '3 minutes'")
    assert await tidied() == 0


async def test_tasks_without_a_target_need_no_place(engine: Engine) -> None:
    run = await engine.run(*[{"type": "wait", "seconds": 0, "needs": []}] * 5)
    await engine.start(run)

    assert len(await engine.claim(await engine.worker())) == 5
    assert await engine.scalar("SELECT count(*) FROM seats") == 0


@pytest.mark.parametrize(
    "step",
    [
        {"type": "wait", "seconds": 1},
        {"type": "wait.port", "port": 22},
        {"type": "http.request", "url": "http://127.0.0.1/"},
    ],
    ids=lambda step: step["type"],
)
async def test_a_step_that_does_not_log_in_takes_no_place_and_opens_no_credential_of_its_target(
    engine: Engine, step: dict[str, Any]
) -> None:
    await _crowd(engine, targets=1, steps=1, places=1)
    worker = await engine.worker()
    await engine.claim(worker)
    run = await engine.run(step, targets=["t0"])
    await engine.start(run)

    [task] = await engine.claim(worker)

    assert (task.run_id, task.credential) == (run, None)
    assert await engine.scalar("SELECT count(*) FROM seats") == 1
    assert await engine.rows("SELECT credential_id FROM attempts WHERE run_id = :r", r=run) == [(None,)]


async def test_each_protocol_of_a_windows_machine_counts_against_its_own_limit(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=9, places=5)
    await engine.execute("UPDATE targets SET os = 'windows', winrm = jsonb_build_object('max_concurrent', 2)")
    winrm = {"type": "winrm.exec", "command": "hostname", "needs": []}
    run = await engine.run(*[winrm] * 6, *[{"type": "facts", "needs": []}] * 2, targets=["t0"])
    await engine.start(run)
    worker = await engine.worker()

    claimed = await engine.claim(worker, limit=100)

    of_winrm = [task for task in claimed if task.run_id == run]
    places = await engine.rows(
        "SELECT s.place, t.run_id = :r FROM seats AS s JOIN tasks AS t ON t.id = s.task_id ORDER BY 1", r=run
    )
    assert (len(of_winrm), len(claimed)) == (2, 7)
    assert places == [(1, True), (2, True)] + [(1_000 + place, False) for place in range(1, 6)]


async def test_a_connection_test_takes_a_place_like_a_step_and_keeps_it_while_it_runs(engine: Engine) -> None:
    await _crowd(engine, targets=1, steps=2, places=1)
    worker = await engine.worker()
    test = uuid7()
    await engine.execute(
        """INSERT INTO connection_tests (id, project_id, target_id, target_version, pool, transport, reach,
                                         status, tries, requested_by, correlation_id)
           SELECT :id, project_id, id, version, pool, 'ssh', '{}', 'running', 1, 'test', :id FROM targets""",
        id=test,
    )
    target = await engine.scalar("SELECT id FROM targets")
    seat = TestSeat(
        sessions=engine.sessions,
        test_id=test,
        tries=1,
        worker_id=worker,
        target_id=target,
        account="ops",
        protocol="ssh",
    )

    assert await seat.take()
    assert await engine.claim(worker) == []
    async with engine.sessions.begin() as session:
        await free_forgotten_seats(session)
    assert await engine.claim(worker) == [], "the test runs"
    await seat.leave()
    assert len(await engine.claim(worker)) == 1
    assert not await seat.take()


def test_a_jump_host_that_rejects_is_the_one_whose_credential_is_held_back() -> None:
    near, far = ({"name": name, "target": {"id": UUID(int=n)}} for n, name in ((1, "near"), (2, "far")))
    target, credential = {"id": UUID(int=9)}, {"credential_id": UUID(int=8)}
    ask = partial(rejected_where, target=target, credential=credential, jumps=[near, far])

    assert ask("jump_rejected", {"jump_host": "far"}) == (UUID(int=2), far)
    assert ask("jump_rejected", {}) is None
    assert ask("auth_rejected", {}) == (UUID(int=9), credential)
    assert ask("unreachable", {"jump_host": "far"}) is None
