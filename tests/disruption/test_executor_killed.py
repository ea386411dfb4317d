"""Executors that are killed, frozen or told to stop while commands run on the target."""

import os
import random

import pytest

from tests.support.eventually import eventually
from tests.support.system import LEASE_SECONDS, System, a_moment
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]

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

    assert await system.until_ended([run]) == {"succeeded": 1}
    assert await system.task_states(run) == {"succeeded": 100}
    assert await system.starts_of(run) == 100
    assert set((await system.outputs(run)).values()) == {system.printed(rounds=6)}
    await assert_all_is_well(system)


async def test_what_a_lost_worker_left_is_taken_over_within_three_leases(system: System) -> None:
    first = await system.started("executor")
    targets = await system.targets(1)
    step = {"type": "ssh.exec", "command": system.script(rounds=8, pause=1)}
    run = await system.run(await system.job(step, targets=targets))
    await system.running(run, 1)
    await system.started("executor")
    lost_at = await system.value("SELECT clock_timestamp()")
    first.kill()

    async def taken_over() -> bool:
        return bool(await system.value("SELECT max(reattached) FROM attempts WHERE run_id = $1", run))

    await eventually(taken_over, within=3 * LEASE_SECONDS, every=0.05)
    seconds = await system.value("SELECT EXTRACT(EPOCH FROM clock_timestamp() - $1)::float8", lost_at)
    assert seconds < 3 * LEASE_SECONDS
    assert await system.until_ended([run]) == {"succeeded": 1}
    assert set((await system.outputs(run)).values()) == {system.printed(rounds=8)}
    await assert_all_is_well(system)


async def test_a_frozen_executor_changes_nothing_when_it_goes_on(system: System) -> None:
    frozen = await system.started("executor")
    targets = await system.targets(4)
    step = {"type": "ssh.exec", "command": system.script(rounds=10, pause=1), "needs": []}
    run = await system.run(await system.job(step, step, step, targets=targets))
    await system.running(run, 12)
    await system.started("executor")
    frozen.freeze()

    async def taken_over() -> bool:
        held = "SELECT count(*) FROM attempts WHERE run_id = $1 AND reattached > 0"
        return bool(await system.value(held, run) == 12)

    await eventually(taken_over, every=0.1)
    frozen.thaw()
    await eventually(lambda: frozen.said("lease.lost"))
    assert await system.until_ended([run]) == {"succeeded": 1}
    assert frozen.alive
    assert set((await system.outputs(run)).values()) == {system.printed(rounds=10)}
    assert await system.value("SELECT max(reattached) FROM attempts WHERE run_id = $1", run) == 1
    assert await system.starts_of(run) == 12
    await assert_all_is_well(system)


async def test_an_executor_told_to_stop_hands_over_and_ends_well(system: System) -> None:
    leaving = await system.started("executor")
    targets = await system.targets(3)
    long = {"type": "ssh.exec", "command": system.script(rounds=12, pause=1), "needs": []}
    short = {"type": "ssh.exec", "command": system.script(rounds=1, pause=1), "needs": []}
    run = await system.run(await system.job(long, short, targets=targets))
    await system.running(run, 6)
    await system.started("executor")
    leaving.terminate()
    code = await eventually(lambda: None if leaving.exit_code() is None else [leaving.exit_code()])
    assert code == [0], leaving.last_words()
    told = "SELECT count(*) FROM workers WHERE pid = $1 AND draining_at < released_at"
    assert await system.value(told, leaving.pid) == 1, "it should have said that it drains"

    by_step = await system.rows(
        "SELECT step_no, state FROM tasks WHERE run_id = $1 AND (state <> 'running') = (step_no = 1)", run
    )
    assert len(by_step) == 6, "the short ones should have ended, the long ones should run on"
    assert await system.until_ended([run]) == {"succeeded": 1}
    taken = "SELECT count(*) FROM attempts WHERE run_id = $1 AND reattached > 0 AND losses = 0"
    assert await system.value(taken, run) == 3
    assert set((await system.outputs(run)).values()) == {system.printed(rounds=12), system.printed(rounds=1)}
    await assert_all_is_well(system)


@pytest.mark.provokes("output_pattern")
async def test_a_line_that_fails_the_step_counts_although_its_reader_was_killed(system: System) -> None:
    first = await system.started("executor")
    targets = await system.targets(1)
    command = "echo FATAL disk; sleep 6; echo all done"
    step = {"type": "ssh.exec", "command": command, "fail_on": {"pattern": "^FATAL"}}
    run = await system.run(await system.job(step, targets=targets))

    async def read() -> bool:
        stored = "SELECT count(*) FROM output_chunks WHERE run_id = $1 AND data LIKE '%FATAL%'"
        return bool(await system.value(stored, run))

    await eventually(read)
    await system.started("executor")
    first.kill()

    assert await system.until_ended([run]) == {"failed": 1}
    error = await system.value("SELECT error->>'code' FROM attempts WHERE run_id = $1", run)
    assert error == "output_pattern"
