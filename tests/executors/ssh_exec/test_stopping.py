"""Stopping ends the whole tree on the target, and says so only when it has looked."""

import asyncio
import os
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.ssh import Reachable, is_running, let_go, output_of, run, sandbox, script
from workers.executor.steps.base import StepContext
from workers.executor.steps.ssh_exec import SshExecPlugin
from workers.executor.steps.ssh_exec.attempt import SshAttempt

TREE = """
(trap '' TERM; sleep 300 & echo $!; wait; sleep 300) & echo $!
(trap '' TERM HUP; while :; do sleep 1; done) & echo $!
setsid sleep 300 & echo $!
echo $$
trap '' TERM
while :; do sleep 1; done
"""


async def test_stop_ends_the_whole_tree_even_where_it_ignores_being_asked(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()
    attempt = await plugin.start(script(TREE), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout.count(b"\n") == 5)
    pids = [int(pid) for pid in output_of(context).stdout.split()]
    assert all(is_running(pid) for pid in pids)

    assert await attempt.stop()

    assert [pid for pid in pids if is_running(pid)] == []
    outcome = await following
    assert (outcome.outcome, outcome.exit_code) == ("failed", 137)
    await attempt.release()


async def test_a_command_may_clean_up_when_it_is_stopped(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()
    text = "trap 'echo cleaned; exit 9' TERM; echo begun; while :; do sleep .1; done"
    attempt = await plugin.start(script(text), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout)

    assert await attempt.stop()

    assert (await following).exit_code == 9
    assert output_of(context).stdout == b"begun\ncleaned\n"
    await attempt.release()


async def test_a_command_that_ended_before_the_stop_keeps_its_true_outcome(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    attempt = await plugin.start(script("exit 5"), host.context())
    outcome = await attempt.follow()

    assert await attempt.stop()

    assert outcome.exit_code == 5
    await attempt.release()


async def test_what_was_stopped_before_it_was_started_never_starts(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    attempt = await plugin.start(script(f"touch {host.home}/ran"), host.context())

    assert await attempt.stop()
    outcome = await attempt.follow()

    assert outcome.outcome == "failed"
    assert not (host.home / "ran").exists()
    await attempt.release()


async def begun(plugin: SshExecPlugin, context: StepContext) -> tuple[SshAttempt, int]:
    """An attempt that nobody follows any more, and the pid of its shell."""
    attempt = await plugin.start(script("echo $$; sleep 300"), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout.endswith(b"\n"))
    await let_go(following)
    return attempt, int(output_of(context).stdout)


async def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    attempt, pid = await begun(plugin, host.context())
    noted = Path(str(attempt.handle["folder"])) / "pid"
    fields = noted.read_text().split()
    fields[20] = "1"
    noted.write_text(" ".join(fields) + "\n")

    await attempt.stop()

    assert is_running(pid)
    os.killpg(pid, 9)
    await attempt.release()


async def test_stop_does_not_claim_what_it_cannot_see(plugin: SshExecPlugin) -> None:
    async with sandbox() as host:
        gone = await plugin.start(script("true"), host.context())
        await gone.release()
        assert not await gone.stop()
        attempt, _pid = await begun(plugin, host.context())

    assert not await attempt.stop()
    await attempt.detach()


async def test_a_full_connection_leaves_room_to_stop_what_runs_on_it(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    first = host.with_settings(max_concurrent=20)
    contexts = [host.context(target=first.target, credential=first.credential) for _ in range(12)]
    attempts = [await plugin.start(script("sleep 300"), context) for context in contexts]
    following = [asyncio.create_task(attempt.follow()) for attempt in attempts]

    assert all(await asyncio.gather(*(attempt.stop() for attempt in attempts)))

    assert {(await outcome).exit_code for outcome in following} == {143}
    await asyncio.gather(*(attempt.release() for attempt in attempts))


async def test_attempts_on_one_host_wait_for_each_other(host: Reachable, plugin: SshExecPlugin) -> None:
    first = host.with_settings(max_concurrent=3)
    text = f"cd {host.home}; echo + >>count; sleep .2; echo - >>count"
    contexts = [host.context(target=first.target, credential=first.credential) for _ in range(9)]

    await asyncio.gather(*(run(plugin, context, text) for context in contexts))

    level = highest = 0
    for line in (host.home / "count").read_text().split():
        level += 1 if line == "+" else -1
        highest = max(highest, level)
    assert level == 0
    assert 1 < highest <= 3
