"""Looks find what can go on, and nothing that would be found for ever."""

from uuid import UUID

from sqlalchemy import text

from contracts.runs import looks
from infra.looking import Looker
from tests.integration.workers.conftest import Floor

STEP = {"type": "wait", "seconds": 1}


async def found_by(floor: Floor) -> set[UUID]:
    found: set[UUID] = set()

    async def note(run_id: UUID) -> None:
        found.add(run_id)

    await Looker(looks.ADVANCE_RUN, floor.sessions, found=note).look()
    return found


async def test_tasks_that_settle_after_their_run_was_given_up_are_not_looked_for(floor: Floor) -> None:
    open_run, given_up = [await floor.a_run([STEP], [{"open": 1}]) for _ in range(2)]
    for run_id in (open_run, given_up):
        await floor.a_task(run_id, 0, "succeeded", unplanned=True, attempt=1)
    async with floor.sessions.begin() as session:
        sql = "UPDATE runs SET status = 'failed', ended_at = now() WHERE id = :id"
        await session.execute(text(sql), {"id": given_up})
    assert await found_by(floor) == {open_run}


async def test_what_fails_is_not_looked_for_again_at_once(floor: Floor) -> None:
    run_id = await floor.a_run([STEP], [{"open": 1}])
    await floor.a_task(run_id, 0, "succeeded", unplanned=True, attempt=1)

    async def fail(_: UUID) -> None:
        raise ValueError("a bug")

    assert await Looker(looks.ADVANCE_RUN, floor.sessions, found=fail).look() == 0
