"""A worker that has lost its lease or its task changes nothing, whatever it still has to say."""

from uuid import UUID, uuid4

from sqlalchemy import text

from contracts.runs.states import TaskState
from infra.clock import now
from infra.ids import uuid7
from tests.integration.workers.conftest import Floor
from workers import leases
from workers.executor import holding, store
from workers.executor.claims import claim
from workers.executor.output import Chunk

STEP = {"type": "wait", "seconds": 1}


async def a_worker(floor: Floor, *, lease_seconds: float = 60) -> UUID:
    facts = leases.WorkerFacts(
        id=uuid7(), roles=["executor"], pools=["default"], slots=1, host="here", pid=1, version="1"
    )
    async with floor.sessions.begin() as session:
        await leases.register(session, facts, lease_seconds=lease_seconds)
    return facts.id


async def claimed(floor: Floor, worker: UUID, run_id: UUID) -> UUID:
    task = await floor.a_task(run_id, 0, "ready")
    async with floor.sessions.begin() as session:
        assert (await claim(session, worker_id=worker, pools=["default"], limit=5)).ids == [task]
    return task


async def taken_over(floor: Floor, task: UUID) -> None:
    """As release and adoption leave it: another holder, higher fences."""
    other = await a_worker(floor)
    async with floor.sessions.begin() as session:
        await session.execute(
            text("UPDATE tasks SET worker_id = :other, fence = fence + 2 WHERE id = :id"),
            {"other": other, "id": task},
        )


def a_settlement(task: UUID, run_id: UUID, fence: int) -> store.Settlement:
    return store.Settlement(
        task_id=task,
        run_id=run_id,
        attempt=1,
        fence=fence,
        task_state=TaskState.SUCCEEDED,
        attempt_state=TaskState.SUCCEEDED,
        correlation_id=uuid4(),
        requested_by="tests",
    )


def a_chunk(task: UUID, run_id: UUID, fence: int) -> Chunk:
    return Chunk(
        task_id=task,
        run_id=run_id,
        attempt=1,
        fence=fence,
        seq=0,
        stream="stdout",
        data="late",
        source_end=4,
        occurred_at=now(),
    )


async def test_what_comes_after_the_task_changed_hands_changes_nothing(floor: Floor) -> None:
    worker = await a_worker(floor)
    run_id = await floor.a_run([STEP], [{"open": 1}])
    task = await claimed(floor, worker, run_id)
    await taken_over(floor, task)
    async with floor.sessions.begin() as session:
        handles = [(task, 1, 1, '{"late": true}')]
        assert await store.store_handles(session, worker_id=worker, handles=handles) == set()
        chunks = [a_chunk(task, run_id, 1)]
        assert await store.store_chunks(session, worker_id=worker, chunks=chunks) == set()
        assert await store.settle(session, [a_settlement(task, run_id, 1)]) == set()
    assert await floor.state(task) == "running"
    async with floor.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM output_chunks")) == 0
        assert await session.scalar(text("SELECT handle FROM attempts")) is None


async def test_a_settlement_whose_answer_was_lost_is_recognised_and_written_once(floor: Floor) -> None:
    worker = await a_worker(floor)
    run_id = await floor.a_run([STEP], [{"open": 1}])
    task = await claimed(floor, worker, run_id)
    for _ in range(2):
        async with floor.sessions.begin() as session:
            assert await store.settle(session, [a_settlement(task, run_id, 1)]) == {task}
    async with floor.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM run_events WHERE kind = 'tasks'")) == 2


async def test_a_worker_whose_lease_has_run_out_claims_adopts_and_renews_nothing(floor: Floor) -> None:
    worker = await a_worker(floor, lease_seconds=-1)
    run_id = await floor.a_run([STEP], [{"open": 2}])
    await floor.a_task(run_id, 0, "ready")
    await floor.a_task(run_id, 1, "running", attempt=1)
    async with floor.sessions.begin() as session:
        assert (await claim(session, worker_id=worker, pools=["default"], limit=5)).ids == []
        assert await holding.adopt(session, worker_id=worker, pools=["default"], limit=5) == []
        assert not await leases.renew(session, worker, lease_seconds=60)


async def test_a_claim_passes_over_what_another_is_claiming(floor: Floor) -> None:
    first, second = await a_worker(floor), await a_worker(floor)
    run_id = await floor.a_run([STEP], [{"open": 2}])
    tasks = [await floor.a_task(run_id, ordinal, "ready") for ordinal in range(2)]
    async with floor.sessions.begin() as one, floor.sessions.begin() as two:
        mine = (await claim(one, worker_id=first, pools=["default"], limit=1)).ids
        await two.execute(text("SET LOCAL lock_timeout = '2s'"))
        others = (await claim(two, worker_id=second, pools=["default"], limit=5)).ids
    assert sorted([*mine, *others]) == sorted(tasks)
    assert len(mine) == 1


async def test_the_next_attempt_of_a_task_that_still_winds_up_here_is_found(floor: Floor) -> None:
    worker = await a_worker(floor)
    run_id = await floor.a_run([STEP], [{"open": 1}])
    task = await claimed(floor, worker, run_id)
    async with floor.sessions.begin() as session:
        [first] = await holding.held(session, worker_id=worker, named=[task])
        await session.execute(
            text("UPDATE tasks SET state = 'ready', worker_id = NULL WHERE id = :id"), {"id": task}
        )
    async with floor.sessions.begin() as session:
        assert (await claim(session, worker_id=worker, pools=["default"], limit=5)).ids == [task]
        [second] = await holding.held_unknown(session, worker_id=worker, known=[first.hold])

    assert (second.id, second.attempt) == (task, 2)
    async with floor.sessions.begin() as session:
        assert await holding.held_unknown(session, worker_id=worker, known=[first.hold, second.hold]) == []
