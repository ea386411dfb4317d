"""Connections that break, hosts that restart, and shells that nobody must leave behind."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from infra.sandbox.windows import WindowsHost, faults
from infra.sandbox.windows.faults import Plain
from tests.support.eventually import eventually
from tests.support.windows import Bench, basic_over_https, ntlm_over_http, script
from workers.executor.steps.base import Attempt, NotResumable, StepFault, StepOutcome

Work = Callable[[Bench], Awaitable[None]]
LONG = "'up'; Start-Process child 600; Start-Sleep 600"


async def success(bench: Bench) -> None:
    await bench.run("hostname")


async def failure(bench: Bench) -> None:
    assert (await bench.run("exit 3")).outcome == "failed"


async def stopped(bench: Bench) -> None:
    """What a time-out and a cancel both do."""
    attempt = await bench.start(script(LONG))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"up\r\n")
    assert await attempt.stop()
    await following
    await attempt.release()


async def stopped_before_it_began(bench: Bench) -> None:
    attempt = await bench.start(script(LONG))
    assert await attempt.stop()
    await attempt.release()


async def taken_over(bench: Bench) -> None:
    """What a kill and a re-attach leave: the connections of the first worker just end."""
    step = script("'up'; Start-Process child 600; Start-Sleep -Milliseconds 600; 'end'")
    lost = await bench.start(step)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: bench.output.stdout == b"up\r\n")
    following.cancel()
    await lost.detach()
    other = Bench(bench.settings)
    attempt = await other.resume(step, dict(lost.handle))
    assert (await attempt.follow()).exit_code == 0
    await attempt.release()
    await other.close()


async def never_opened(bench: Bench) -> None:
    with pytest.raises(StepFault):
        await bench.run(script("hostname", cwd=r"D:\no"))


async def no_command(bench: Bench) -> None:
    with pytest.raises(StepFault):
        await bench.start(script("hostname"))


@pytest.mark.parametrize(
    ("work", "plan"),
    [
        (success, []),
        (failure, []),
        (stopped, []),
        (stopped_before_it_began, []),
        (taken_over, []),
        (never_opened, []),
        (no_command, [faults.program_not_found()]),
        (success, [faults.operation_quota()]),
    ],
    ids=["success", "failure", "stopped", "stopped-early", "taken-over", "no-folder", "no-command", "quota"],
)
async def test_no_shell_and_no_process_stays_behind(
    windows_host: WindowsHost,
    bench: Bench,
    work: Callable[[Bench], Awaitable[None]],
    plan: list[faults.Misbehaviour],
) -> None:
    windows_host.plan.answer("Command", *plan)

    await work(bench)

    assert windows_host.shells == {}
    assert windows_host.processes == []


async def test_a_start_that_waits_for_room_is_called_off_at_once(
    windows_host: WindowsHost, bench: Bench
) -> None:
    windows_host.plan.answer("Command", *[faults.operation_quota()] * 50)
    starting = asyncio.create_task(bench.start(script("hostname")))
    await eventually(lambda: windows_host.shells)
    began = asyncio.get_running_loop().time()

    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)

    assert starting.cancelled()
    assert asyncio.get_running_loop().time() - began < bench.plugin._reach.limits.room
    assert windows_host.shells == {}


@pytest.mark.parametrize("moment", ["logged in", "shell made"])
async def test_a_start_called_off_while_its_shell_is_being_made_takes_the_shell_away_again(
    windows_host: WindowsHost, bench: Bench, moment: str
) -> None:
    windows_host.knobs.delay = 0.3
    starting = asyncio.create_task(bench.start(script("hostname")))
    seen = {"logged in": windows_host.logins, "shell made": windows_host.shells}[moment]
    await eventually(lambda: seen)

    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)

    assert starting.cancelled()
    assert windows_host.shells == {}


async def test_a_reboot_while_a_command_runs_is_an_unknown_end_and_nobody_runs_it_again(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt = await bench.start(script(LONG))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"up\r\n")

    await windows_host.reboot(0.3)

    with pytest.raises(StepFault) as vanished:
        await following
    assert (vanished.value.cause.code, vanished.value.acted) == ("shell_vanished", True)
    assert len(windows_host.journal) == 1


async def test_a_take_over_after_a_reboot_finds_nothing_and_says_so(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script("hostname")
    lost = await bench.start(step)
    await lost.detach()
    await windows_host.reboot(0.1)

    with pytest.raises(NotResumable):
        await bench.resume(step, dict(lost.handle))
    assert windows_host.journal == []


@pytest.mark.parametrize("make", [ntlm_over_http, basic_over_https], ids=["ntlm-sealed", "basic-tls"])
async def test_an_answer_that_drips_in_is_waited_for(
    windows_host: WindowsHost, make: object, bench: Bench
) -> None:
    if callable(make):
        bench.settings = make(windows_host)
    windows_host.knobs.drip = 0.1

    outcome = await bench.run('1..200 | ForEach-Object { "line $_" }')

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout.endswith(b"line 200\r\n")
    assert bench.output.incomplete == []


@pytest.mark.parametrize("action", ["Send", "Receive"])
async def test_a_lost_security_context_goes_on_with_the_same_shell_and_command(
    windows_host: WindowsHost, bench: Bench, action: str
) -> None:
    windows_host.plan.answer(action, Plain(400))
    attempt = await bench.start(script("hostname"))
    shells = set(windows_host.shells)

    await attempt.follow()

    assert set(windows_host.shells) == shells
    assert bench.output.stdout == b"SIMULATED-WIN\r\n"
    assert len(windows_host.journal) == 1
    await attempt.release()


async def test_a_command_that_ends_without_a_word_succeeds(windows_host: WindowsHost, bench: Bench) -> None:
    outcome = await bench.run("$x = 1")

    assert (outcome.outcome, bench.output.stdout, bench.output.stderr) == ("succeeded", b"", b"")


async def test_a_shell_of_a_worker_that_never_came_back_ends_by_its_idle_time(
    windows_host: WindowsHost, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.steps.winrm.transport.SHELL_IDLE_TIMEOUT", "PT2S")
    attempt = await bench.start(script("hostname"))
    assert len(windows_host.shells) == 1
    await attempt.detach()

    await eventually(lambda: windows_host.shells == {})
    assert windows_host.journal == []


async def test_quotas_are_waited_for_before_the_gate_only(windows_host: WindowsHost, bench: Bench) -> None:
    windows_host.max_shells = 1
    first = await bench.start(script("hostname"))
    second = asyncio.create_task(bench.start(script("hostname")))
    await eventually(lambda: windows_host.refused_shells > 0)
    assert not second.done()

    await first.release()

    attempt = await second
    assert windows_host.journal == []
    await attempt.release()
    assert windows_host.shells == {}


CMD = {"shell": "cmd"}
LONG_BATCH = "echo up\nping -n 600 127.0.0.1"


async def a_batch_under_way(host: WindowsHost, bench: Bench) -> tuple[Attempt, "asyncio.Task[StepOutcome]"]:
    attempt = await bench.start(script(LONG_BATCH, **CMD))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"up\r\n")
    assert len(host.machine.batch_files) == 1
    return attempt, following


async def test_a_batch_file_is_gone_after_its_script_was_stopped(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt, following = await a_batch_under_way(windows_host, bench)

    assert await attempt.stop()
    await following
    await attempt.release()

    assert windows_host.machine.batch_files == set()
    assert windows_host.shells == {}


async def test_a_batch_file_is_gone_after_an_end_that_nobody_knows(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt, following = await a_batch_under_way(windows_host, bench)
    [shell] = windows_host.shells.values()

    await windows_host.remove_shell(shell)
    with pytest.raises(StepFault):
        await following
    await attempt.release()

    assert windows_host.machine.batch_files == set()


async def test_whoever_takes_over_a_batch_that_is_gone_removes_its_file(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt, following = await a_batch_under_way(windows_host, bench)
    following.cancel()
    await attempt.detach()
    [shell] = windows_host.shells.values()
    await windows_host.remove_shell(shell)
    other = Bench(bench.settings)

    with pytest.raises(NotResumable):
        await other.resume(script(LONG_BATCH, **CMD), dict(attempt.handle))
    await other.close()

    assert windows_host.machine.batch_files == set()
    assert windows_host.shells == {}
