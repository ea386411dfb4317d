"""A failed attempt that settles while a plan is being written belongs to the next plan, and only to it."""

from contracts.runs.states import TaskState
from tests.integration.workers.conftest import Floor
from workers.orchestrator import store

STEP = {"type": "wait", "seconds": 1, "retry": {"attempts": 3}}


async def test_ending_what_has_not_started_leaves_an_unseen_failure_alone(floor: Floor) -> None:
    run_id = await floor.a_run([STEP], [{"open": 1, "pending": 1}])
    unseen = await floor.a_task(run_id, 0, "pending", attempt=1, unplanned=True)
    waiting = await floor.a_task(run_id, 1, "pending")
    async with floor.sessions.begin() as session:
        ended = await store.end_unstarted(session, run_id, end=TaskState.CANCELLED)
    assert ended == {(0, TaskState.PENDING, TaskState.CANCELLED): 1}
    assert await floor.state(unseen) == "pending"
    assert await floor.state(waiting) == "cancelled"


async def test_releasing_the_next_task_passes_over_an_unseen_failure(floor: Floor) -> None:
    run_id = await floor.a_run([STEP], [{"open": 1, "pending": 1}])
    unseen = await floor.a_task(run_id, 0, "pending", attempt=1, unplanned=True)
    waiting = await floor.a_task(run_id, 1, "pending")
    async with floor.sessions.begin() as session:
        released = await store.release(session, [(run_id, 0, 1)])
    assert [task.task_id for task in released] == [waiting]
    assert await floor.state(unseen) == "pending"
