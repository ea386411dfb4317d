"""Claim, settle and release on a real PostgreSQL: nobody holds a task twice, and no late word counts."""

import asyncio
from typing import Any

from infra.unit_of_work import UnitOfWork
from tests.support.engine import Engine, settlement
from workers import leases
from workers.executor import holding, store


async def test_workers_claiming_at_once_get_disjoint_tasks_and_every_task_once(engine: Engine) -> None:
    run = await engine.fleet_run(300)
    workers = [await engine.worker() for _ in range(4)]

    async def claim_all(worker: Any) -> list[Any]:
        mine = []
        while got := await engine.claim(worker, limit=20):
            mine += got
        return mine

    claimed = [task for tasks in await asyncio.gather(*map(claim_all, workers)) for task in tasks]

    assert len(claimed) == len({task.id for task in claimed}) == 300
    assert await engine.rows("SELECT count(*), sum(number) FROM attempts") == [(300, 300)]
    assert await engine.rows("SELECT max(attempt), max(fence) FROM tasks") == [(1, 1)]
    assert await engine.states(run) == {"running": 300}


async def test_a_worker_claims_no_more_than_it_asked_for_and_only_its_pools(engine: Engine) -> None:
    await engine.fleet_run(10)
    await engine.execute("UPDATE tasks SET pool = 'dmz' WHERE ordinal < 5")
    worker = await engine.worker()

    assert len(await engine.claim(worker, limit=3)) == 3
    assert len(await engine.claim(worker, limit=100)) == 2


async def test_a_redelivered_command_claims_nothing_twice(engine: Engine) -> None:
    await engine.fleet_run(3)
    worker = await engine.worker()
    named = [task.id for task in await engine.claim(worker)]

    assert await engine.claim(worker, named=named) == []
    assert await engine.scalar("SELECT count(*) FROM attempts") == 3


async def test_a_worker_whose_lease_has_run_out_claims_nothing_and_is_never_renewed(engine: Engine) -> None:
    await engine.fleet_run(1)
    worker = await engine.worker()
    await engine.execute("UPDATE workers SET lease_until = now() - interval '1 s'")

    assert await engine.claim(worker) == []
    async with engine.sessions.begin() as session:
        assert not await leases.renew(session, worker, lease_seconds=60)
        assert await holding.adopt(session, worker_id=worker, pools=["default"], limit=9) == []


async def test_an_old_fence_changes_nothing(engine: Engine) -> None:
    await engine.fleet_run(1)
    first, second = await engine.worker(), await engine.worker()
    [task] = await engine.claim(first)
    async with engine.open_uow() as uow:
        assert await leases.release(uow, first, reason="test") == 1
    async with engine.sessions.begin() as session:
        assert await holding.adopt(session, worker_id=second, pools=["default"], limit=9) == [task.id]
        late = await store.settle(session, [settlement(task, "failed")])
        stored = await store.store_handles(
            session, worker_id=first, handles=[(task.id, task.attempt, task.fence, '{"a": 1}')]
        )

    assert (late, stored) == (set(), set())
    assert await engine.rows("SELECT state, unplanned, worker_id, fence FROM tasks") == [
        ("running", False, second, 3)
    ]
    assert await engine.rows("SELECT state, handle, reattached FROM attempts") == [("running", None, 1)]


async def test_a_settlement_whose_answer_was_lost_is_recognised(engine: Engine) -> None:
    await engine.fleet_run(1)
    tasks = await engine.claim(await engine.worker())
    first = await engine.settle(tasks)
    before = await engine.rows("SELECT * FROM tasks")

    assert await engine.settle(tasks) == first == {tasks[0].id}
    assert await engine.rows("SELECT * FROM tasks") == before
    assert await engine.scalar("SELECT count(*) FROM run_events WHERE kind = 'tasks'") == 2


async def test_a_claim_and_a_release_at_once_leave_no_task_with_a_released_worker(engine: Engine) -> None:
    await engine.fleet_run(200)

    async def release(worker: Any) -> None:
        async with engine.open_uow() as uow:
            await leases.release(uow, worker, reason="race")

    for _ in range(15):
        worker = await engine.worker()
        await asyncio.gather(engine.claim(worker, limit=5), release(worker), engine.claim(worker, limit=5))

        held = await engine.scalar(
            """SELECT count(*) FROM tasks JOIN workers ON workers.id = tasks.worker_id
                WHERE workers.released_at IS NOT NULL"""
        )
        assert held == 0


async def test_a_claim_waits_for_a_release_under_way_and_then_gets_nothing(engine: Engine) -> None:
    await engine.fleet_run(1)
    worker = await engine.worker()
    async with engine.sessions.begin() as session:
        await leases.release(UnitOfWork(session), worker, reason="race")
        claiming = asyncio.create_task(engine.claim(worker))
        done, _ = await asyncio.wait([claiming], timeout=0.2)
        assert not done, "the claim has to wait for the release"

    assert await claiming == []
