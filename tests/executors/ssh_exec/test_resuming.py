"""A lost worker, connection or host: the command goes on, runs once, and its output has no gap."""

import asyncio
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.ssh import Reachable, let_go, output_of, sandbox, script
from workers.executor.steps.base import Fenced, NotResumable, StepContext, StepFault
from workers.executor.steps.ssh_exec import Connections, SshExecPlugin, beginning, looks


def counted(host: Reachable) -> str:
    """A script that leaves on the host what it sent, and how often it ran."""
    return f"""
cd {host.home}
echo ran >>runs
i=0
while [ $i -lt 40 ]; do
    head -c 50000 /dev/urandom | tee -a sent
    echo "line $i" | tee -a sent-err >&2
    i=$((i + 1))
    sleep .02
done
exit 3
"""


def _more_than(received: int, context: StepContext) -> bool:
    return len(output_of(context).stdout) > received


async def test_closing_the_connection_does_not_end_the_command(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()
    attempt = await plugin.start(script(f"echo begun; sleep 1; touch {host.home}/finished"), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout)
    await let_go(following)

    await attempt.detach()
    await plugin.close()

    await eventually((host.home / "finished").exists)


async def test_another_worker_goes_on_in_mid_output_and_it_ran_once(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context, spec = host.context(), script(counted(host))
    lost = await plugin.start(spec, context)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: len(output_of(context).stdout) > 200_000)
    await let_go(following)
    await lost.detach()
    stored = output_of(context)
    rest = CollectedOutput(start={"stdout": len(stored.stdout), "stderr": len(stored.stderr)})

    attempt = await other_worker.resume(spec, replace(context, output=rest), lost.handle)
    outcome = await attempt.follow()
    await attempt.release()

    assert outcome.exit_code == 3
    assert (host.home / "runs").read_text() == "ran\n"
    assert stored.stdout + rest.stdout == (host.home / "sent").read_bytes()
    assert stored.stderr + rest.stderr == (host.home / "sent-err").read_bytes()


async def test_a_command_that_ended_while_nobody_looked_is_told_truly(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context, spec = host.context(), script("echo begun; sleep .3; echo done; exit 4")
    lost = await plugin.start(spec, context)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: output_of(context).stdout)
    await let_go(following)
    await lost.detach()
    await eventually((Path(str(lost.handle["folder"])) / "done").exists)

    attempt = await other_worker.resume(spec, context, lost.handle)
    outcome = await attempt.follow()
    await attempt.release()

    assert outcome.exit_code == 4
    assert output_of(context).stdout == b"begun\ndone\n"


async def test_a_worker_lost_before_the_start_leaves_it_to_the_next_which_starts_it_once(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context, spec = host.context(), script(f"echo ran >>{host.home}/runs")
    lost = await plugin.start(spec, context)
    await lost.detach()

    attempt = await other_worker.resume(spec, context, lost.handle)
    assert not (host.home / "runs").exists()
    outcome = await attempt.follow()
    await attempt.release()

    assert outcome.outcome == "succeeded"
    assert (host.home / "runs").read_text() == "ran\n"


async def test_two_followers_at_once_start_it_once_and_both_see_all_of_it(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    for _ in range(5):
        (host.home / "runs").unlink(missing_ok=True)
        one, two = CollectedOutput(), CollectedOutput()
        context = host.context(one)
        spec = script(f"echo ran >>{host.home}/runs; seq 1000; sleep .2; seq 1000")
        first = await plugin.start(spec, context)
        second = await other_worker.resume(spec, replace(context, output=two), first.handle)

        await asyncio.gather(first.follow(), second.follow())

        assert (host.home / "runs").read_text() == "ran\n"
        assert one.stdout == two.stdout
        assert len(one.stdout.splitlines()) == 2000
        await second.detach()
        await first.release()


def cut_connections(plugin: SshExecPlugin) -> None:
    for endpoint in plugin._connections._endpoints.values():
        for link in list(endpoint.links):
            link.connection.abort()


async def test_a_cut_connection_is_taken_up_at_the_byte_where_it_stopped(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()
    attempt = await plugin.start(script(counted(host)), context)
    following = asyncio.create_task(attempt.follow())
    for received in (100_000, 700_000, 1_300_000):
        await eventually(partial(_more_than, received, context))
        cut_connections(plugin)

    outcome = await following
    await attempt.release()

    assert outcome.exit_code == 3
    assert (host.home / "runs").read_text() == "ran\n"
    assert output_of(context).stdout == (host.home / "sent").read_bytes()
    assert output_of(context).stderr == (host.home / "sent-err").read_bytes()


@pytest.mark.provokes("connection_lost")
async def test_a_host_that_stays_away_leaves_the_outcome_unknown() -> None:
    plugin = SshExecPlugin(Connections(connect_seconds=1.0), reconnect_seconds=0.5)
    async with sandbox() as host:
        context = host.context()
        attempt = await plugin.start(script("echo begun; sleep 300"), context)
        following = asyncio.create_task(attempt.follow())
        await eventually(lambda: output_of(context).stdout)

    with pytest.raises(StepFault) as fault:
        await following

    assert (fault.value.cause.code, fault.value.acted) == ("connection_lost", True)
    await attempt.release()
    await plugin.close()


async def test_a_command_whose_folder_has_gone_cannot_be_resumed(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context = host.context()
    attempt = await plugin.start(script("true"), context)
    await attempt.release()

    with pytest.raises(NotResumable):
        await other_worker.resume(script("true"), context, attempt.handle)


async def test_a_host_rebooted_meanwhile_cannot_tell_how_it_ended(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context = host.context()
    spec = script("echo $$; sleep 300")
    lost = await plugin.start(spec, context)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: output_of(context).stdout.endswith(b"\n"))
    await let_go(following)
    await lost.detach()
    (Path(str(lost.handle["folder"])) / "started").write_text("another-boot\n")

    with pytest.raises(NotResumable):
        await other_worker.resume(spec, context, lost.handle)

    assert host.folders() == []
    os.killpg(int(output_of(context).stdout), 9)


async def test_a_command_whose_wrapper_was_killed_too_ends_as_unknown(
    host: Reachable, plugin: SshExecPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "AT_MOST", 0.1)
    context = host.context()
    attempt = await plugin.start(script("echo $$ $PPID; exec sleep 300"), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout.endswith(b"\n"))
    shell, wrapper = map(int, output_of(context).stdout.split())

    os.kill(wrapper, 9)
    os.kill(shell, 9)

    outcome = await following
    assert outcome.outcome == "unknown"
    assert outcome.cause is not None
    assert outcome.cause.code == "shell_vanished"
    await attempt.release()


async def test_a_command_whose_wrapper_alone_was_killed_ends_as_unknown_and_is_no_bug(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    """The command's own end is seen at once, but nobody was left to write its exit code down."""
    context = host.context()
    attempt = await plugin.start(script("echo begun; kill -9 $PPID"), context)

    outcome = await attempt.follow()

    assert outcome.cause is not None
    assert (outcome.outcome, outcome.cause.code) == ("unknown", "shell_vanished")
    assert output_of(context).stdout == b"begun\n"
    await attempt.release()


async def test_the_next_attempt_removes_what_ended_ones_of_its_task_have_left(
    host: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context, another = host.context(), host.context()
    unbegun = await plugin.start(script("true"), context)
    ended = await plugin.start(script("true"), replace(context, attempt=2))
    await ended.follow()
    of_another = await plugin.start(script("true"), another)
    for left in (unbegun, ended, of_another):
        await left.detach()

    attempt = await other_worker.start(script("true"), replace(context, attempt=3))

    ours = {Path(str(one.handle["folder"])).name for one in (of_another, attempt)}
    assert set(host.folders()) == ours
    await attempt.release()
    await other_worker.tidy(script("true"), another, of_another.handle)
    assert host.folders() == []


async def test_a_start_that_is_called_off_leaves_nothing(
    host: Reachable, plugin: SshExecPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = beginning._told

    async def slowly(*args: Any, **kwargs: Any) -> tuple[str, ...]:
        await told(*args, **kwargs)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(beginning, "_told", slowly)
    starting = asyncio.create_task(plugin.start(script("true"), host.context()))
    await eventually(host.folders)

    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)

    assert starting.cancelled()
    assert host.folders() == []


async def test_a_fenced_worker_does_not_let_the_target_act(host: Reachable, plugin: SshExecPlugin) -> None:
    def fenced() -> None:
        raise Fenced

    attempt = await plugin.start(script(f"touch {host.home}/ran"), host.context(still_mine=fenced))

    with pytest.raises(Fenced):
        await attempt.follow()

    await attempt.release()
    assert not (host.home / "ran").exists()
