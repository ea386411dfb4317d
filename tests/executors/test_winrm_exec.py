"""What `winrm.exec` promises, against a simulated host that speaks the real protocol."""

import asyncio
from itertools import product

import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.eventually import PATIENCE, eventually
from tests.support.outputs import CollectedOutput
from tests.support.windows import Bench, basic_over_https, ntlm_over_http, script
from workers.executor.steps.base import Fenced, NotResumable, StepFault
from workers.executor.steps.winrm_exec.outcome import CONTROL_C_EXIT

SAMPLE = "Restart-Service Spooler; (Get-Service Spooler).Status"


async def test_the_sample_script_restarts_the_service_and_says_that_it_runs(
    windows_host: WindowsHost, bench: Bench
) -> None:
    outcome = await bench.run(SAMPLE)

    assert (outcome.outcome, outcome.exit_code) == ("succeeded", 0)
    assert bench.output.stdout == b"Running\r\n"
    assert bench.output.stderr == b""
    spooler = windows_host.services.find("Spooler")
    assert spooler is not None
    assert spooler.restarts == 1
    assert len(windows_host.journal) == 1
    assert windows_host.shells == {}


async def test_a_script_far_longer_than_a_command_line_runs_whole(
    windows_host: WindowsHost, bench: Bench
) -> None:
    long = "# " + "x" * 26_000 + "\nWrite-Output 'end of it'"

    outcome = await bench.run(long)

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"end of it\r\n"
    assert windows_host.journal[0].script == long


async def test_a_script_that_needs_several_sends_runs_once(windows_host: WindowsHost, bench: Bench) -> None:
    outcome = await bench.run("# " + "y" * 400_000 + "\nhostname")

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"SIMULATED-WIN\r\n"
    assert len(windows_host.journal) == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 5", 5), ("throw 'no'", 1), ("Write-Error 'no'", 1), ("cmd /c exit 3", 3), ("exit -1", -1)],
)
async def test_a_failing_script_reports_its_exit_code(bench: Bench, command: str, code: int) -> None:
    outcome = await bench.run(command)

    assert (outcome.outcome, outcome.exit_code) == ("failed", code)
    assert outcome.cause is not None
    assert outcome.cause.code == "exit_code"


async def test_an_unknown_command_is_an_error_on_stderr_and_the_script_goes_on(bench: Bench) -> None:
    outcome = await bench.run("Frobnicate-It; 'after'")

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"after\r\n"
    assert b"The term 'Frobnicate-It' is not recognized" in bench.output.stderr
    assert b"CLIXML" not in bench.output.stderr
    assert b"_x000D_" not in bench.output.stderr


async def test_output_arrives_before_the_command_ends(windows_host: WindowsHost, bench: Bench) -> None:
    attempt = await bench.start(script("'first'; Start-Sleep 30; 'second'"))
    following = asyncio.create_task(attempt.follow())

    await eventually(lambda: bench.output.stdout == b"first\r\n")

    assert windows_host.journal[0].ended is None
    assert await attempt.stop()
    await following


async def test_utf8_output_arrives_as_it_was_written(bench: Bench) -> None:
    await bench.run("Write-Output 'Grüße, 世界 🙂'")

    assert bench.output.stdout.decode() == "Grüße, 世界 🙂\r\n"


async def test_output_that_is_not_utf8_is_read_in_the_oem_codepage(
    windows_host: WindowsHost, bench: Bench
) -> None:
    bench.settings = ntlm_over_http(windows_host).model_copy(update={"oem_codepage": "cp850"})

    await bench.run(
        "$o = [Console]::OpenStandardOutput(); $o.Write([byte[]](0x4D, 0x84, 0x72, 0x7A, 10), 0, 5)"
    )

    assert bench.output.stdout.decode() == "März\n"


async def test_nul_bytes_in_the_output_do_no_harm(bench: Bench) -> None:
    outcome = await bench.run("$o = [Console]::OpenStandardOutput(); $o.Write([byte[]](65, 0, 66), 0, 3)")

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"A\x00B"


async def test_five_megabytes_of_output_arrive_complete(bench: Bench) -> None:
    outcome = await bench.run("[Console]::Out.Write('0123456789' * 524288)")

    assert outcome.outcome == "succeeded"
    assert len(bench.output.stdout) == 5 * 1024 * 1024
    assert bench.output.stdout == b"0123456789" * 524288
    assert bench.output.incomplete == []


async def test_cmd_scripts_run_as_batch_files(windows_host: WindowsHost, bench: Bench) -> None:
    outcome = await bench.run(script("set X=1& echo %OS%\nhostname\nexit /b 4", shell="cmd"))

    assert (outcome.outcome, outcome.exit_code) == ("failed", 4)
    assert bench.output.stdout == b"Windows_NT\r\nSIMULATED-WIN\r\n"
    assert windows_host.journal[0].shell == "cmd"


@pytest.mark.parametrize(
    "value",
    [
        "'; exit 9; '",
        '"; exit 9; "',
        "$(exit 9)",
        "`$x",
        "\u2018\u2019; exit 9; \u201c",
        "a\r\nexit 9",
        "{{ other }}",
        "",
        "ü 世界",
    ],
)
async def test_a_hostile_parameter_arrives_as_data_in_powershell(bench: Bench, value: str) -> None:
    outcome = await bench.run("[Console]::Out.Write({{ text }})", parameters={"text": value})

    assert outcome.exit_code == 0
    assert bench.output.stdout.decode() == value


@pytest.mark.parametrize(
    "value", ["a & exit 9", '" & exit 9 & "', "%OS%", "^& exit 9", "a | b > c", "x >nul"]
)
async def test_a_hostile_parameter_arrives_as_data_in_cmd(bench: Bench, value: str) -> None:
    outcome = await bench.run(script("echo {{ text }}", shell="cmd"), parameters={"text": value})

    assert outcome.exit_code == 0
    assert bench.output.stdout.decode() == value + "\r\n"


async def test_typed_parameters_keep_their_type(bench: Bench) -> None:
    await bench.run("$x = {{ n }} + 1; $x; ({{ yes }})", parameters={"n": 41, "yes": True})

    assert bench.output.stdout == b"42\r\nTrue\r\n"


async def test_a_script_that_cannot_be_bound_is_refused_before_anything_is_sent(
    windows_host: WindowsHost, bench: Bench
) -> None:
    with pytest.raises(StepFault) as refused:
        await bench.start(script("Write-Output '{{ a }}'"), parameters={"a": "x"})

    assert refused.value.cause.code == "step_invalid"
    assert windows_host.logins == []


async def test_a_secret_is_not_exported_to_the_programs_that_cmd_starts(
    windows_host: WindowsHost, bench: Bench
) -> None:
    with pytest.raises(StepFault) as refused:
        await bench.start(
            script("echo {{ a }}", shell="cmd"),
            parameters={"a": "x"},
            secret_parameters=frozenset({"a"}),
        )

    assert refused.value.cause.code == "step_invalid"
    assert windows_host.logins == []


# -- who may come in


async def test_a_wrong_password_is_tried_exactly_once(windows_host: WindowsHost, bench: Bench) -> None:
    with pytest.raises(StepFault) as rejected:
        await bench.start(script(SAMPLE), password="wrong")

    assert (rejected.value.cause.code, rejected.value.acted) == ("auth_rejected", False)
    assert windows_host.logins == [("ntlm", "ops", False)]
    assert windows_host.journal == []


async def test_a_wrong_password_over_basic_is_tried_exactly_once(
    windows_host: WindowsHost, bench: Bench
) -> None:
    bench.settings = basic_over_https(windows_host)

    with pytest.raises(StepFault) as rejected:
        await bench.start(script(SAMPLE), password="wrong")

    assert rejected.value.cause.code == "auth_rejected"
    assert windows_host.logins == [("basic", "ops", False)]


async def test_a_password_that_changes_while_a_step_runs_is_tried_once_and_never_again(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt = await bench.start(script("'one'; Start-Sleep 30"))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"one\r\n")
    windows_host.password = "another one"
    await windows_host.drop_connections()

    with pytest.raises(StepFault) as rejected:
        await following
    assert not await attempt.stop()
    await attempt.release()

    assert (rejected.value.cause.code, rejected.value.acted) == ("auth_rejected", True)
    assert [accepted for _, _, accepted in windows_host.logins] == [True, False]


@pytest.mark.parametrize(("schemes", "transport"), [(("Negotiate",), "basic"), (("Basic",), "ntlm")])
async def test_a_host_that_does_not_offer_the_transport_says_what_it_offers(
    windows_host: WindowsHost, bench: Bench, schemes: tuple[str, ...], transport: str
) -> None:
    windows_host.schemes = schemes
    bench.settings = basic_over_https(windows_host, transport=transport)

    with pytest.raises(StepFault) as refused:
        await bench.start(script(SAMPLE))

    assert refused.value.cause.code == "auth_unsupported"
    assert schemes[0] in str(refused.value.words["detail"])


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
async def test_both_transports_work_over_https_with_a_pinned_certificate(
    windows_host: WindowsHost, bench: Bench, transport: str
) -> None:
    bench.settings = basic_over_https(windows_host, transport=transport)

    outcome = await bench.run("hostname")

    assert outcome.outcome == "succeeded"
    assert windows_host.logins[0] == (transport, "ops", True)


# -- stopping, losing, taking over


async def test_a_lost_answer_to_command_runs_nothing_and_is_retried_once(
    windows_host: WindowsHost, bench: Bench
) -> None:
    windows_host.knobs.drop_after_command = 1

    attempt = await bench.start(script(SAMPLE))
    assert windows_host.journal == []
    assert len(windows_host.shells) == 1
    outcome = await attempt.follow()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 0)
    assert len(windows_host.journal) == 1


async def test_answers_to_command_lost_again_and_again_leave_nothing_behind(
    windows_host: WindowsHost, bench: Bench
) -> None:
    windows_host.knobs.drop_after_command = 2

    with pytest.raises(StepFault) as lost:
        await bench.start(script(SAMPLE))

    assert (lost.value.cause.code, lost.value.acted) == ("unreachable", False)
    assert windows_host.shells == {}
    assert windows_host.journal == []


async def test_a_lost_answer_to_send_does_not_run_the_script_twice(
    windows_host: WindowsHost, bench: Bench
) -> None:
    windows_host.knobs.drop_after_send = 1

    outcome = await bench.run(SAMPLE)

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"Running\r\n"
    assert len(windows_host.journal) == 1


async def test_a_connection_dropped_in_mid_receive_goes_on_with_the_same_command(
    windows_host: WindowsHost, bench: Bench
) -> None:
    windows_host.knobs.drop_in_receive = 1

    outcome = await bench.run("'one'; Start-Sleep -Milliseconds 300; 'two'; hostname")

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout.endswith(b"two\r\nSIMULATED-WIN\r\n")
    assert [stream for stream, _ in bench.output.incomplete] == ["stdout", "stderr"]
    assert len(windows_host.journal) == 1


@pytest.mark.parametrize("lost", list(product((0, 1), repeat=4)), ids=str)
async def test_whichever_answers_are_lost_the_script_runs_exactly_once(
    windows_host: WindowsHost, bench: Bench, lost: tuple[int, int, int, int]
) -> None:
    knobs = windows_host.knobs
    knobs.drop_after_create, knobs.drop_after_command = lost[0], 0 if lost[0] else lost[1]
    knobs.drop_after_send, knobs.drop_in_receive = lost[2:]

    outcome = await bench.run("hostname; exit 4")

    assert (outcome.outcome, outcome.exit_code) == ("failed", 4)
    assert [entry.how for entry in windows_host.journal] == ["exit 4"]
    assert (bench.output.stdout == b"SIMULATED-WIN\r\n") or bench.output.incomplete


async def test_an_idle_connection_cut_by_a_firewall_is_replaced_without_losing_output(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt = await bench.start(script("'one'"))
    await windows_host.drop_connections()

    outcome = await attempt.follow()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 0)
    assert bench.output.stdout == b"one\r\n"
    assert bench.output.incomplete == []


async def test_a_shell_that_vanishes_while_the_command_runs_is_an_unknown_end(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt = await bench.start(script("'one'; Start-Sleep 30"))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"one\r\n")

    [shell] = windows_host.shells.values()
    await windows_host.remove_shell(shell)

    with pytest.raises(StepFault) as vanished:
        await following
    assert (vanished.value.cause.code, vanished.value.acted) == ("shell_vanished", True)


async def test_a_host_that_stays_away_is_given_up_as_lost(windows_host: WindowsHost, hurried: Bench) -> None:
    attempt = await hurried.start(script("'one'; Start-Sleep 30"))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: hurried.output.stdout == b"one\r\n")

    await windows_host.stop()

    with pytest.raises(StepFault) as lost:
        await following
    assert (lost.value.cause.code, lost.value.acted) == ("connection_lost", True)


async def test_a_step_resumed_before_its_gate_was_opened_runs_once(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script(SAMPLE)
    lost = await bench.start(step)
    handle = dict(lost.handle)
    await lost.detach()
    other = Bench(bench.settings)

    attempt = await other.resume(step, handle)
    outcome = await attempt.follow()
    await attempt.release()
    await other.close()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 0)
    assert other.output.stdout == b"Running\r\n"
    assert other.output.incomplete == []
    assert len(windows_host.journal) == 1
    assert windows_host.shells == {}


async def test_a_step_resumed_after_its_gate_was_opened_goes_on_and_runs_once(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script("1..12 | ForEach-Object { \"n $_\"; Start-Sleep -Milliseconds 100 }; 'end'; exit 3")
    lost = await bench.start(step)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: b"n 2" in bench.output.stdout)
    following.cancel()
    await lost.detach()
    other = Bench(bench.settings)

    attempt = await other.resume(step, dict(lost.handle))
    outcome = await attempt.follow()
    await attempt.release()
    await other.close()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 3)
    assert other.output.stdout.endswith(b"n 12\r\nend\r\n")
    assert {stream for stream, _ in other.output.incomplete} == {"stdout", "stderr"}
    assert [entry.how for entry in windows_host.journal] == ["exit 3"]


async def test_a_step_that_ended_before_the_take_over_is_told_with_all_of_its_output(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script("'all of it'; exit 3")
    lost = await bench.start(step)
    windows_host.knobs.delay = 0.2
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: windows_host.journal and windows_host.journal[0].ended)
    following.cancel()
    await lost.detach()
    windows_host.knobs.delay = 0.0
    other = Bench(bench.settings)

    attempt = await other.resume(step, dict(lost.handle))
    outcome = await attempt.follow()
    await other.close()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 3)
    assert len(windows_host.journal) == 1
    missing = b"all of it" not in other.output.stdout
    assert missing == bool(other.output.incomplete)


async def test_a_take_over_waits_for_the_receive_of_the_lost_worker(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script("Start-Sleep -Milliseconds 400; 'quiet until now'; Start-Sleep -Milliseconds 400; 'end'")
    lost = await bench.start(step)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: any(shell_is_receiving(windows_host)))
    following.cancel()
    await lost.detach()
    other = Bench(bench.settings)

    attempt = await other.resume(step, dict(lost.handle))
    outcome = await attempt.follow()
    await other.close()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 0)
    assert other.output.stdout.endswith(b"end\r\n")
    assert len(windows_host.journal) == 1


def shell_is_receiving(host: WindowsHost) -> list[bool]:
    return [command.receiving for shell in host.shells.values() for command in shell.commands.values()]


async def test_a_gate_that_received_half_of_its_script_still_runs_it_once_after_a_take_over(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script("# " + "z" * 200_000 + "\nhostname")
    calls = 0

    def lease_ends() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Fenced

    lost = await bench.start(step, still_mine=lease_ends)
    with pytest.raises(Fenced):
        await lost.follow()
    await lost.detach()
    assert windows_host.journal == []
    other = Bench(bench.settings)

    attempt = await other.resume(step, dict(lost.handle))
    outcome = await attempt.follow()
    await other.close()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 0)
    assert other.output.stdout == b"SIMULATED-WIN\r\n"
    assert len(windows_host.journal) == 1


async def test_a_worker_that_no_longer_holds_the_task_does_not_open_the_gate(
    windows_host: WindowsHost, bench: Bench
) -> None:
    def fenced() -> None:
        raise Fenced

    attempt = await bench.start(script(SAMPLE), still_mine=fenced)

    with pytest.raises(Fenced):
        await attempt.follow()
    await attempt.release()
    assert windows_host.journal == []
    assert windows_host.shells == {}


async def test_a_command_that_is_gone_cannot_be_resumed(windows_host: WindowsHost, bench: Bench) -> None:
    step = script(SAMPLE)
    attempt = await bench.start(step)
    handle = dict(attempt.handle)
    await attempt.release()

    with pytest.raises(NotResumable):
        await bench.resume(step, handle)
    assert windows_host.journal == []


async def test_a_take_over_that_cannot_reach_the_host_does_not_claim_that_nothing_ran(
    windows_host: WindowsHost, bench: Bench
) -> None:
    step = script(SAMPLE)
    lost = await bench.start(step)
    await lost.detach()
    await windows_host.stop()
    other = Bench(bench.settings)

    with pytest.raises(StepFault) as unreachable:
        await other.resume(step, dict(lost.handle))
    await other.close()

    assert (unreachable.value.cause.code, unreachable.value.acted) == ("unreachable", True)


@pytest.mark.parametrize("ignores_ctrl_c", [False, True])
async def test_stop_ends_the_whole_process_tree_and_verifies_it(
    windows_host: WindowsHost, bench: Bench, hurried: Bench, *, ignores_ctrl_c: bool
) -> None:
    windows_host.knobs.ignore_ctrl_c = ignores_ctrl_c
    bench = hurried if ignores_ctrl_c else bench
    attempt = await bench.start(script("Start-Process child 600; 'up'; Start-Sleep 600"))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"up\r\n")
    assert [process.name for process in windows_host.processes] == ["child"]

    assert await attempt.stop()

    outcome = await following
    assert outcome.outcome == ("failed" if ignores_ctrl_c else "ended")
    assert outcome.exit_code == (None if ignores_ctrl_c else CONTROL_C_EXIT)
    assert windows_host.processes == []
    assert windows_host.shells == {}
    assert [entry.how for entry in windows_host.journal] == ["stopped"]


async def test_stop_works_after_following_was_cancelled(windows_host: WindowsHost, bench: Bench) -> None:
    attempt = await bench.start(script("'up'; Start-Sleep 600"))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: bench.output.stdout == b"up\r\n")
    following.cancel()

    assert await attempt.stop()

    assert windows_host.shells == {}
    await attempt.release()


async def test_a_command_that_was_faster_than_stop_keeps_its_true_outcome(
    windows_host: WindowsHost, bench: Bench
) -> None:
    attempt = await bench.start(script(SAMPLE))
    outcome = await attempt.follow()

    assert await attempt.stop()

    assert (outcome.outcome, outcome.exit_code) == ("ended", 0)
    assert windows_host.shells == {}


async def test_stop_is_not_verified_when_the_host_does_not_answer(
    windows_host: WindowsHost, hurried: Bench
) -> None:
    attempt = await hurried.start(script("Start-Sleep 600"))
    await windows_host.stop()

    async with asyncio.timeout(PATIENCE):
        assert not await attempt.stop()


async def test_release_leaves_no_shell_behind(windows_host: WindowsHost, bench: Bench) -> None:
    attempt = await bench.start(script(SAMPLE))
    assert len(windows_host.shells) == 1

    await attempt.release()

    assert windows_host.shells == {}
    assert windows_host.journal == []


async def test_many_steps_run_at_once(windows_host: WindowsHost, bench: Bench) -> None:
    outputs = [CollectedOutput() for _ in range(12)]

    async def one(output: CollectedOutput) -> None:
        own = Bench(bench.settings, bench.plugin, output)
        await own.run("Start-Sleep -Milliseconds 200; hostname")

    await asyncio.gather(*(one(output) for output in outputs))

    assert {output.stdout for output in outputs} == {b"SIMULATED-WIN\r\n"}
    assert len(windows_host.journal) == 12
