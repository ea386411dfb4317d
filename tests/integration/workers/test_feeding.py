"""How an executor fills its slots."""

from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import text

from infra.database import engine_of
from infra.unit_of_work import plain_unit_of_work
from tests.integration.workers.conftest import Floor
from tests.integration.workers.test_fences import a_worker
from tests.support.api import CollectingRelay
from workers.definitions import Definitions
from workers.executor.feeder import Feeder
from workers.executor.steps.wait import WaitPlugin
from workers.executor.surroundings import Surroundings

SLOTS = 6


async def a_feeder(floor: Floor) -> Feeder:
    """One whose attempts begin and wait; nothing of them is written."""
    process: Any = SimpleNamespace(
        settings=SimpleNamespace(slots=SLOTS, pools=["default"]),
        open_uow=plain_unit_of_work(engine_of(floor.sessions), CollectingRelay()),
    )
    lease: Any = SimpleNamespace(worker_id=await a_worker(floor), fresh=True)

    async def nothing(*_: object, **__: object) -> tuple[()]:
        return ()

    around = Surroundings(
        ledger=cast("Any", SimpleNamespace(store_chunk=nothing)),
        vault=cast("Any", SimpleNamespace(credential=nothing, jumps=nothing)),
        plugins={"wait": WaitPlugin()},
        still_mine=lambda: None,
        artifacts=lambda _task, _definition: cast("Any", None),
        reporter=lambda _task: lambda _progress: None,
    )
    return Feeder(process, lease, Definitions(), around)


async def test_all_slots_are_filled_but_never_more_than_half_of_them_by_one_claim(floor: Floor) -> None:
    run_id = await floor.a_run([{"type": "wait", "seconds": 600}], [{"open": SLOTS + 2}])
    for ordinal in range(SLOTS + 2):
        await floor.a_task(run_id, ordinal, "ready")
    feeder = await a_feeder(floor)
    try:
        await feeder.fill()
        async with floor.sessions() as session:
            # One moment of beginning for each transaction.
            claims = await session.scalars(text("SELECT count(*) FROM attempts GROUP BY started_at"))
        assert list(claims) == [SLOTS // 2, SLOTS // 2]
        assert feeder.running == SLOTS
    finally:
        await feeder.let_go()
