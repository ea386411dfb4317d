"""Executors that are killed, frozen or told to stop while commands run on the target."""

import os
import random

import pytest

from tests.support.system import System, a_moment
from tests.support.watching import assert_all_is_well

pytestmark = [pytest.mark.disruption, pytest.mark.timeout(150)]

ROUNDS = int(os.environ.get("OPS_TEST_ROUNDS", "2"))


async def test_commands_run_once_and_whole_while_their_executors_are_killed(system: System) -> None:
    executors = [await system.started("executor"), await system.started("executor")]
    targets = await system.targets(20)
    step = {"type": "ssh.exec", "command": system.script(rounds=6, pause=1.5), "needs": []}
    job = await system.job(*[step] * 5, targets=targets)
    run = await system.run(job)
    await system.running(run, 5)
    for _ in range(ROUNDS):
        await a_moment(0.2, 3.0)
        victim = random.randrange(len(executors))
        executors[victim].kill()
        executors[victim] = await system.started("executor")

    assert await system.until_ended([run], within=90) == {"succeeded": 1}
    assert await system.task_states(run) == {"succeeded": 100}
    assert sum(system.starts().values()) == 100
    assert set((await system.outputs(run)).values()) == {system.printed(rounds=6)}
    await assert_all_is_well(system)
