"""Every look finds its work, runs as it is written, and reads an index instead of whole tables."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts.looks import Look
from contracts.runs import looks
from contracts.targets import looks as targets
from infra.looking import Looker
from tests.support.engine import Engine

VALUES: dict[str, Any] = {
    "limit": 100,
    "pools": ["default"],
    "worker_id": UUID(int=1),
    "run_id": UUID(int=2),
    "xid": "0",
    "id": 0,
}


@pytest.fixture
async def crowded(engine: Engine) -> Engine:
    """Thousands of runs and tasks that have nothing to do any more, and a few that have."""
    run = await engine.run({"type": "wait", "seconds": 0})
    await engine.execute(
        """INSERT INTO runs (id, project_id, job_id, job_version, status, requested_by,
                             correlation_id, ended_at)
           SELECT gen_random_uuid(), project_id, job_id, 1, 'succeeded', 'test', id, now()
             FROM runs, generate_series(1, 5000)"""
    )
    await engine.execute(
        """INSERT INTO tasks (id, run_id, step_no, ordinal, pool, state, ended_at)
           SELECT gen_random_uuid(), id, 0, place, 'default', 'succeeded', now()
             FROM runs, generate_series(0, 3) AS place WHERE status = 'succeeded'"""
    )
    await engine.start(run)
    await engine.targets(1)
    await engine.execute(
        """INSERT INTO connection_tests (id, project_id, target_id, target_version, pool, transport, reach,
                                         status, requested_by, correlation_id, ended_at)
           SELECT gen_random_uuid(), project_id, id, 1, pool, 'ssh', '{}', 'succeeded', 'test', id, now()
             FROM targets, generate_series(1, 5000)"""
    )
    await engine.execute("ANALYZE runs, tasks, run_events, output_chunks, connection_tests")
    return engine


@pytest.mark.parametrize("look", [*looks.LOOKS, *targets.LOOKS], ids=lambda look: look.message.__name__)
async def test_a_look_reads_an_index(crowded: Engine, look: Look) -> None:
    async with crowded.engine.connect() as connection:
        wanted = {name: value for name, value in VALUES.items() if f":{name}" in look.sql}
        await connection.execute(text(look.sql), wanted)
        plan = "\n".join(await connection.scalars(text(f"EXPLAIN {look.sql}"), wanted))

    assert "Seq Scan on runs" not in plan, plan
    assert "Seq Scan on tasks" not in plan, plan
    assert "Seq Scan on connection_tests" not in plan, plan


async def _found(engine: Engine, look: Look, **parameters: Any) -> set[UUID]:
    found: set[UUID] = set()

    async def take(subject: UUID) -> None:
        found.add(subject)

    looker = Looker(look, engine.sessions, found=take, parameters=parameters)
    assert await looker.look() == len(found)
    return found


async def test_a_requested_run_is_found_until_it_is_planned_or_parked(engine: Engine) -> None:
    run, parked = [await engine.run({"type": "wait", "seconds": 0}) for _ in range(2)]
    await engine.execute("UPDATE runs SET parked_by = gen_random_uuid() WHERE id = :id", id=parked)

    assert await _found(engine, looks.START_RUN) == {run}
    await engine.start(run)
    assert await _found(engine, looks.START_RUN) == set()


async def test_settled_tasks_a_timer_and_a_cancel_are_found(engine: Engine) -> None:
    settled, timer, cancelled, quiet = [await engine.run({"type": "wait", "seconds": 0}) for _ in range(4)]
    await engine.start(settled, timer, cancelled, quiet)
    assert await _found(engine, looks.ADVANCE_RUN) == set()

    await engine.execute("UPDATE tasks SET unplanned = true WHERE run_id = :id", id=settled)
    await engine.execute("UPDATE runs SET wake_at = now() WHERE id = :id", id=timer)
    await engine.cancel(cancelled)

    assert await _found(engine, looks.ADVANCE_RUN) == {settled, timer, cancelled}
    await engine.execute("UPDATE runs SET parked_by = gen_random_uuid()")
    assert await _found(engine, looks.ADVANCE_RUN) == set()


async def test_parked_runs_never_hide_the_others(engine: Engine) -> None:
    runs = [await engine.run({"type": "wait", "seconds": 0}) for _ in range(6)]
    await engine.start(*runs)
    await engine.execute("UPDATE tasks SET unplanned = true")
    await engine.execute("UPDATE runs SET parked_by = gen_random_uuid() WHERE id <> :id", id=max(runs))

    async with engine.sessions() as session:
        rows = await session.execute(text(looks.ADVANCE_RUN.sql), {"limit": 1})

    assert [row.id for row in rows] == [max(runs)]


async def test_ready_and_left_behind_tasks_are_found_in_their_pool_when_due(engine: Engine) -> None:
    await engine.fleet_run(3)
    assert len(await _found(engine, looks.EXECUTE_TASKS, pools=["default"])) == 3
    assert await _found(engine, looks.EXECUTE_TASKS, pools=["dmz"]) == set()
    await engine.execute("UPDATE tasks SET not_before = now() + interval '1 h'")
    assert await _found(engine, looks.EXECUTE_TASKS, pools=["default"]) == set()

    await engine.execute("UPDATE tasks SET state = 'running', worker_id = NULL")

    assert len(await _found(engine, looks.EXECUTE_TASKS, pools=["default"])) == 3


async def test_what_a_worker_runs_of_a_cancelled_run_is_found(engine: Engine) -> None:
    run, worker = await engine.fleet_run(2), await engine.worker()
    [task] = await engine.claim(worker, limit=1)
    await engine.cancel(run)

    assert await _found(engine, looks.CANCEL_REQUESTED, worker_id=worker) == {task.id}
    assert await _found(engine, looks.CANCEL_REQUESTED, worker_id=uuid4()) == set()


async def test_what_cannot_be_handled_does_not_make_the_look_spin(engine: Engine) -> None:
    await engine.run({"type": "wait", "seconds": 0})

    async def fails(_subject: UUID) -> None:
        raise ValueError("a bug")

    assert await Looker(looks.START_RUN, engine.sessions, found=fails).look() == 0


async def test_a_requested_connection_test_is_found_in_its_pool_until_it_begins_or_is_parked(
    engine: Engine,
) -> None:
    await engine.targets(1)
    await engine.execute(
        """INSERT INTO connection_tests (id, project_id, target_id, target_version, pool, transport, reach,
                                         status, requested_by, correlation_id)
           SELECT gen_random_uuid(), project_id, id, 1, pool, 'ssh', '{}', 'requested', 'test', id
             FROM targets"""
    )

    assert len(await _found(engine, targets.TEST_CONNECTION, pools=["default"])) == 1
    assert await _found(engine, targets.TEST_CONNECTION, pools=["dmz"]) == set()
    await engine.execute("UPDATE connection_tests SET parked_by = gen_random_uuid()")
    assert await _found(engine, targets.TEST_CONNECTION, pools=["default"]) == set()
    await engine.execute("UPDATE connection_tests SET parked_by = NULL, status = 'running'")
    assert await _found(engine, targets.TEST_CONNECTION, pools=["default"]) == set()
