"""What a step may set around its script: environment, folder, standard input, shell, and when it fails."""

from typing import Any

import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.windows import Bench, script
from workers.executor.steps.base import StepFault

SHELLS = pytest.mark.parametrize("shell", ["powershell", "pwsh", "cmd"])
HOSTILE = "a & exit 9 | b %OS% !x! \"' `$(exit 9) ü 世界"


async def test_the_environment_is_set_for_powershell(bench: Bench) -> None:
    step = script("[Console]::Out.Write($env:COLOUR)", env={"COLOUR": "{{ c }} and more"})

    outcome = await bench.run(step, parameters={"c": HOSTILE})

    assert outcome.exit_code == 0
    assert bench.output.stdout.decode() == f"{HOSTILE} and more"


async def test_the_environment_is_set_for_cmd(bench: Bench) -> None:
    outcome = await bench.run(script("set COLOUR", shell="cmd", env={"colour": "red & green"}))

    assert outcome.exit_code == 0
    assert bench.output.stdout == b"COLOUR=red & green\r\n"


@SHELLS
async def test_the_script_reads_its_standard_input(bench: Bench, shell: str) -> None:
    command = "more" if shell == "cmd" else "[Console]::Out.Write([Console]::In.ReadToEnd())"
    step = script(command, shell=shell, stdin="one\n{{ text }}\n")

    outcome = await bench.run(step, parameters={"text": HOSTILE})

    assert outcome.exit_code == 0
    assert bench.output.stdout.decode() == f"one\n{HOSTILE}\n"


@SHELLS
async def test_the_script_begins_in_its_folder(bench: Bench, shell: str) -> None:
    command = "cd" if shell == "cmd" else "Get-Location"

    await bench.run(script(command, shell=shell, cwd="C:\\{{ folder }}"), parameters={"folder": "Windows"})

    assert bench.output.stdout == b"C:\\Windows\r\n"


@SHELLS
async def test_a_folder_that_is_not_there_is_named_and_nothing_runs(
    windows_host: WindowsHost, bench: Bench, shell: str
) -> None:
    with pytest.raises(StepFault) as missing:
        await bench.run(script("hostname", shell=shell, cwd="D:\\nowhere"))

    assert (missing.value.cause.code, missing.value.acted) == ("folder_not_found", False)
    assert "D:\\nowhere" in str(missing.value.words["detail"])
    assert windows_host.journal == []
    assert windows_host.shells == {}


async def test_powershell_7_runs_where_it_is_installed(windows_host: WindowsHost, bench: Bench) -> None:
    outcome = await bench.run(script("'seven'; Write-Error 'no'; exit 0", shell="pwsh"))

    assert (outcome.outcome, bench.output.stdout) == ("succeeded", b"seven\r\n")
    assert b"no" in bench.output.stderr
    assert windows_host.journal[0].shell == "pwsh"


async def test_a_host_without_powershell_7_says_so_and_nothing_runs(
    windows_host: WindowsHost, bench: Bench
) -> None:
    windows_host.has_pwsh = False

    with pytest.raises(StepFault) as missing:
        await bench.run(script("'seven'", shell="pwsh"))

    assert (missing.value.cause.code, missing.value.acted) == ("pwsh_missing", False)
    assert windows_host.journal == []
    assert windows_host.shells == {}


async def test_a_secret_reaches_the_environment_only_where_the_author_put_it(
    windows_host: WindowsHost, bench: Bench
) -> None:
    secret: dict[str, Any] = {"parameters": {"pw": "s3cr3t-word"}, "secret_parameters": frozenset({"pw"})}

    await bench.run(script("[Console]::Out.Write({{ pw }}); $env:OPS_pw; Get-Location"), **secret)
    assert b"s3cr3t-wordC:" in bench.output.stdout.replace(b"\r\n", b"")
    outcome = await bench.run(script("set PW", shell="cmd", env={"PW": "{{ pw }}"}), **secret)

    assert outcome.exit_code == 0
    assert bench.output.stdout.endswith(b"PW=s3cr3t-word\r\n")
    assert all("s3cr3t" not in line for line in windows_host.command_lines)
    assert len(windows_host.command_lines) == 2


async def test_a_value_that_no_environment_takes_is_refused_before_anything_is_sent(
    windows_host: WindowsHost, bench: Bench
) -> None:
    with pytest.raises(StepFault) as refused:
        await bench.start(script("hostname", env={"BIG": "{{ a }}{{ a }}"}), parameters={"a": "x" * 20_000})

    assert refused.value.cause.code == "step_invalid"
    assert "env.BIG" in str(refused.value.words["detail"])
    assert windows_host.logins == []


# -- when a step has failed


@pytest.mark.parametrize(
    ("command", "fields", "verdict"),
    [
        ("exit 3010", {"success_codes": [0, 3010]}, ("succeeded", None)),
        ("exit 5", {"fail_on": {"exit_code": False}}, ("succeeded", None)),
        ("Write-Error 'quiet'; exit 0", {}, ("succeeded", None)),
        ("Write-Error 'quiet'; exit 0", {"fail_on": {"error_stream": True}}, ("failed", "error_stream")),
        ("Write-Warning 'w'; exit 0", {"fail_on": {"error_stream": True}}, ("succeeded", None)),
        ("'x ERROR 17'; exit 0", {"fail_on": {"pattern": r"ERROR \d+"}}, ("failed", "output_pattern")),
        ("'x ERROR'; exit 0", {"fail_on": {"pattern": r"ERROR \d+"}}, ("succeeded", None)),
    ],
)
async def test_the_step_says_what_failure_is(
    bench: Bench, command: str, fields: dict[str, Any], verdict: tuple[str, str | None]
) -> None:
    outcome = await bench.run(script(command, **fields))

    assert (outcome.outcome, outcome.cause and outcome.cause.code) == verdict


@pytest.mark.provokes("error_stream")
async def test_a_non_terminating_error_of_powershell_7_counts_too(bench: Bench) -> None:
    step = script("Write-Error 'quiet'; exit 0", shell="pwsh", fail_on={"error_stream": True})

    outcome = await bench.run(step)

    assert outcome.cause is not None
    assert outcome.cause.code == "error_stream"
    assert "quiet" in str(outcome.words["detail"])
