"""What the command says arrives; nothing is shown to others, nothing is left behind."""

import asyncio
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.ssh import Reachable, is_running, let_go, output_of, run, script
from workers.executor.steps.base import Stream
from workers.executor.steps.ssh_exec import SshExecPlugin


async def test_a_command_that_ends_well_succeeds(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()

    outcome = await run(plugin, context, "echo hello; pwd")

    assert (outcome.outcome, outcome.exit_code) == ("succeeded", 0)
    assert output_of(context).stdout.startswith(b"hello\n/")


@pytest.mark.provokes("exit_code")
async def test_an_exit_code_becomes_a_failure_with_its_cause(host: Reachable, plugin: SshExecPlugin) -> None:
    outcome = await run(plugin, host.context(), "exit 37")

    assert (outcome.outcome, outcome.exit_code) == ("failed", 37)
    assert outcome.cause is not None
    assert (outcome.cause.code, outcome.words["detail"]) == ("exit_code", 37)


async def test_a_command_killed_by_a_signal_reports_128_and_the_signal(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()

    outcome = await run(plugin, context, "kill -KILL $$")

    assert (outcome.outcome, outcome.exit_code) == ("failed", 137)
    assert output_of(context).stderr == b""


async def test_a_command_that_is_not_found_is_an_exit_code(host: Reachable, plugin: SshExecPlugin) -> None:
    outcome = await run(plugin, host.context(), "no-such-command-here")

    assert outcome.exit_code == 127
    assert outcome.cause is not None
    assert outcome.cause.code == "exit_code"


async def test_stdout_and_stderr_arrive_apart(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()

    await run(plugin, context, "echo out; echo err >&2; printf 'no line end'")

    assert output_of(context).stdout == b"out\nno line end"
    assert output_of(context).stderr == b"err\n"


async def test_bytes_that_are_no_text_arrive_as_they_are(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()

    await run(plugin, context, r"printf 'a\000b\377\303\050'; printf '\000\200' >&2")

    assert output_of(context).stdout == b"a\x00b\xff\xc3("
    assert output_of(context).stderr == b"\x00\x80"


async def test_output_arrives_while_the_command_runs(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()
    gate = host.home / "gate"
    text = f"echo early; echo warning >&2; until [ -e {gate} ]; do sleep .1; done; echo late"
    attempt = await plugin.start(script(text), context)
    following = asyncio.create_task(attempt.follow())

    await eventually(lambda: output_of(context).stdout and output_of(context).stderr)
    assert not following.done()

    gate.touch()
    assert (await following).outcome == "succeeded"
    assert output_of(context).stdout == b"early\nlate\n"
    await attempt.release()


async def test_twenty_megabytes_arrive_intact(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()

    await run(
        plugin, context, f"cd {host.home}; head -c 20000000 /dev/urandom | tee random; sha256sum <random >&2"
    )

    assert len(output_of(context).stdout) == 20_000_000
    assert output_of(context).stderr.split()[0].decode() == sha256(output_of(context).stdout).hexdigest()


class HeldOutput(CollectedOutput):
    """A store that takes nothing more, from its second piece on, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.full, self.let_go = asyncio.Event(), asyncio.Event()

    async def write(self, stream: Stream, data: bytes) -> None:
        if self.stdout:
            self.full.set()
            await self.let_go.wait()
        await super().write(stream, data)


async def test_output_that_ends_while_it_is_passed_on_keeps_its_order(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    output = HeldOutput()
    gate = host.home / "gate"
    text = f"echo begun; sleep .4; seq 1000000; until [ -e {gate} ]; do sleep .1; done; seq 1000000"
    attempt = await plugin.start(script(text), host.context(output))
    following = asyncio.create_task(attempt.follow())
    await output.full.wait()
    gate.touch()
    await eventually((Path(str(attempt.handle["folder"])) / "done").exists)

    output.let_go.set()

    assert (await following).outcome == "succeeded"
    await attempt.release()
    numbers = b"".join(b"%d\n" % number for number in range(1, 1_000_001))
    assert output.stdout == b"begun\n" + numbers + numbers


async def test_output_beyond_the_limit_is_dropped_and_said_so_without_stopping_the_command(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()

    outcome = await run(plugin, context, "head -c 70000000 /dev/zero; echo written >&2")

    assert outcome.outcome == "succeeded"
    assert len(output_of(context).stdout) == 64 * 2**20
    assert output_of(context).stderr == b"written\n"
    assert [stream for stream, _ in output_of(context).incomplete] == ["stdout"]


async def test_a_daemon_that_keeps_the_output_open_does_not_hold_the_step(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()

    outcome = await run(plugin, context, "sleep 30 & echo $!")

    daemon = int(output_of(context).stdout)
    assert outcome.outcome == "succeeded"
    assert is_running(daemon)
    os.kill(daemon, 9)


async def test_bash_runs_what_sh_cannot(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()

    await run(plugin, context, "a=(1 2 3); echo ${#a[@]}", shell="bash")

    assert output_of(context).stdout == b"3\n"


async def test_line_numbers_in_messages_are_those_of_the_script(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()

    await run(plugin, context, "#!/bin/sh\n:\nno-such-command-here", shell="bash")

    assert b"line 3:" in output_of(context).stderr


async def test_the_command_gets_an_empty_input_and_the_accounts_own_umask(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()

    await run(plugin, context, "cat; umask")

    assert output_of(context).stdout == b"0022\n"


async def process_list() -> bytes:
    ps = await asyncio.create_subprocess_exec("ps", "axww", "-o", "args", stdout=asyncio.subprocess.PIPE)
    return (await ps.communicate())[0]


async def test_the_script_is_never_in_the_process_list(host: Reachable, plugin: SshExecPlugin) -> None:
    marker = b"c0ffee5ca1e"
    context = host.context()
    attempt = await plugin.start(script(f": {marker.decode()}; echo begun; sleep 30"), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout)

    listed = await process_list()

    assert str(attempt.handle["folder"]).encode() in listed
    assert marker not in listed
    assert await attempt.stop()
    await following
    await attempt.release()


async def test_a_script_with_secrets_removes_its_own_file(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context(secret_parameters=frozenset({"token"}))
    attempt = await plugin.start(script("echo begun; sleep 30"), context)
    file = Path(str(attempt.handle["folder"])) / "script"
    assert file.exists()
    following = asyncio.create_task(attempt.follow())

    await eventually(lambda: output_of(context).stdout)

    assert not file.exists()
    assert await attempt.stop()
    await following
    await attempt.release()


NASTY = 'it\'s; $(touch injected) `touch injected` "quoted" \\ \n& | * — end'


async def test_parameters_arrive_as_data_and_secrets_are_not_handed_on(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context(
        parameters={"text": NASTY, "token": "s3cret-value", "count": 3},
        secret_parameters=frozenset({"token"}),
    )

    await run(
        plugin, context, 'printf %s {{ text }}; echo "|{{ count }}|{{ token }}|"; env | grep -c s3cret-value'
    )

    assert output_of(context).stdout == f"{NASTY}|3|s3cret-value|\n0\n".encode()


async def test_the_folder_on_the_host_is_for_its_user_alone(host: Reachable, plugin: SshExecPlugin) -> None:
    attempt = await plugin.start(script("true"), host.context())

    folder = Path(str(attempt.handle["folder"]))

    assert folder.parent == host.home / ".opsconductor"
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    await attempt.release()


async def test_release_leaves_nothing_behind(host: Reachable, plugin: SshExecPlugin) -> None:
    never_followed = await plugin.start(script("true"), host.context())
    followed = await plugin.start(script("exit 1"), host.context())
    await followed.follow()
    assert len(host.folders()) == 2

    await never_followed.release()
    await followed.release()

    assert host.folders() == []


async def test_release_leaves_nothing_behind_after_a_cancelled_follow_and_a_stop(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()
    attempt = await plugin.start(script("echo begun; sleep 30"), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout)
    await let_go(following)

    assert await attempt.stop()
    await attempt.release()

    assert host.folders() == []


async def test_what_a_start_left_behind_is_swept_by_the_next_attempt(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    context = host.context()
    lost = await plugin.start(script("true"), context)
    await lost.detach()
    assert len(host.folders()) == 1

    await run(plugin, replace(context, attempt=2), "true")

    assert host.folders() == []
