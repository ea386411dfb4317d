"""A cancelled run: nothing of it starts any more, and nothing of it is left on the target."""

from uuid import UUID

import pytest

from infra.sandbox.processes import marked_processes
from tests.support.eventually import eventually
from tests.support.system import System
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]


def left_on_target(mark: str) -> list[int]:
    return list(marked_processes(mark))


async def a_run(system: System, mark: str, *, steps: int) -> UUID:
    """Ten long commands a step, all of which may run at once."""
    targets = await system.targets(10)
    command = f"{mark}; export MARKED; {system.script(rounds=60, pause=1)}"
    step = {"type": "ssh.exec", "command": command, "needs": []}
    return await system.run(await system.job(*[step] * steps, targets=targets))


async def started_after_cancel(system: System, run: UUID) -> int:
    return int(
        await system.value(
            """SELECT count(*) FROM attempts AS a JOIN runs AS r ON r.id = a.run_id
                WHERE r.id = $1 AND a.started_at > r.cancel_requested_at""",
            run,
        )
    )


async def test_cancelling_stops_everything_and_starts_nothing(system: System) -> None:
    await system.started("executor", OPS_SLOTS="20", OPS_LEASE_SECONDS="12")
    run = await a_run(system, "MARKED=cancel-one", steps=3)
    await system.running(run, 20)
    answer = await system.post(f"runs/{run}/cancel")
    assert answer.status_code == 202, answer.text
    assert await system.until_ended([run]) == {"cancelled": 1}
    assert await system.task_states(run) == {"cancelled": 30}
    assert await started_after_cancel(system, run) == 0
    assert await system.starts_of(run) == 20
    assert left_on_target("MARKED=cancel-one") == []
    await assert_all_is_well(system)


async def test_what_a_killed_executor_left_behind_is_stopped_by_another(system: System) -> None:
    first = await system.started("executor")
    run = await a_run(system, "MARKED=cancel-two", steps=1)
    await system.running(run, 10)
    first.kill()
    answer = await system.post(f"runs/{run}/cancel")
    assert answer.status_code == 202, answer.text
    await system.started("executor")
    assert await system.until_ended([run]) == {"cancelled": 1}
    await eventually(lambda: not left_on_target("MARKED=cancel-two"))
    assert await system.starts_of(run) == 10
    assert await started_after_cancel(system, run) == 0
    await assert_all_is_well(system)
