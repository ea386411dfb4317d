"""What a command is given: variables, a folder, input, a language, a terminal."""

import base64
from pathlib import Path

import pytest

from contracts.jobs.steps import SshScript
from tests.support.artifacts import MemoryArtifacts
from tests.support.ssh import Reachable, output_of, run, script
from workers.executor.steps.base import StepContext, StepFault, StepOutcome
from workers.executor.steps.ssh_exec import SshExecPlugin, SshScriptPlugin

NASTY = 'it\'s; $(touch injected) `x` "quoted" \\ \n& | * — end'


async def test_variables_input_and_folder_arrive_as_data(host: Reachable, plugin: SshExecPlugin) -> None:
    folder = host.home / "a folder; with 'names'"
    folder.mkdir()
    folder.chmod(0o755)
    context = host.context(parameters={"text": NASTY, "place": folder.name, "token": "s3cret"})

    await run(
        plugin,
        context,
        'printf "%s|" "$GREETING" "$OTHER"; pwd; cat',
        env={"GREETING": "{{ text }}", "OTHER": "x {{ token }}"},
        cwd=f"{host.home}/{{{{ place }}}}",
        stdin="in: {{ text }}",
    )

    assert output_of(context).stdout == f"{NASTY}|x s3cret|{folder}\nin: {NASTY}".encode()


async def test_a_folder_may_be_relative_to_the_home(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context()

    await run(plugin, context, f"mkdir -p {host.home}/-sub")
    await run(plugin, context, "pwd", cwd=f"{host.home}/-sub")

    assert output_of(context).stdout.decode() == f"{host.home}/-sub\n"


@pytest.mark.parametrize(("cwd", "folder"), [("~", ""), ("~/it's", "/it's")])
async def test_a_folder_may_be_named_from_the_home(
    host: Reachable, plugin: SshExecPlugin, cwd: str, folder: str
) -> None:
    (host.home / "it's").mkdir()
    context = host.context()

    await run(plugin, context, "pwd", cwd=cwd)

    assert output_of(context).stdout.decode() == f"{host.home}{folder}\n"


@pytest.mark.parametrize("shell", ["sh", "bash", "python3"])
async def test_a_script_with_line_ends_of_windows_runs_as_one_with_its_own(
    host: Reachable, plugin: SshExecPlugin, shell: str
) -> None:
    context = host.context()
    text = {"python3": "for x in [1, 2]:\r\n    print(x)\r\n"}.get(
        shell, "for x in 1 2; do\r\n  echo $x\r\ndone\r\n"
    )

    outcome = await run(plugin, context, text, shell=shell)

    assert (outcome.exit_code, output_of(context).stdout) == (0, b"1\n2\n")


async def test_a_folder_that_is_not_there_is_said_and_nothing_runs(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    outcome = await run(plugin, host.context(), f"touch {host.home}/ran", cwd="/no/such/folder")

    assert outcome.outcome == "failed"
    assert outcome.cause is not None
    assert outcome.cause.code == "path_missing"
    assert not (host.home / "ran").exists()


async def test_a_script_may_fail_with_126_of_its_own(host: Reachable, plugin: SshExecPlugin) -> None:
    outcome = await run(plugin, host.context(), "exit 126", cwd="/")

    assert outcome.exit_code == 126


@pytest.mark.parametrize("size", [0, 5, 200_000])
async def test_input_of_any_size_is_read_whole(host: Reachable, plugin: SshExecPlugin, size: int) -> None:
    context = host.context()

    await run(plugin, context, "wc -c", stdin="x" * size)

    assert int(output_of(context).stdout) == size


async def test_secret_input_leaves_no_file(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context(parameters={"token": "s3cret"}, secret_parameters=frozenset({"token"}))

    await run(plugin, context, 'ls "${0%/*}"; cat; echo $T', stdin="{{ token }}", env={"T": "{{ token }}"})

    names, _, rest = output_of(context).stdout.partition(b"started\n")
    assert b"script" not in names
    assert b"stdin" not in rest
    assert output_of(context).stdout.endswith(b"s3crets3cret\n")


async def test_python_is_run_with_what_it_was_given(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.context(parameters={"text": NASTY})
    text = "import os, sys\nprint(os.environ['TEXT'] == sys.stdin.read(), os.getcwd())\nsys.exit(3)"

    outcome = await run(
        plugin, context, text, shell="python3", env={"TEXT": "{{ text }}"}, stdin="{{ text }}", cwd="/usr"
    )

    assert outcome.exit_code == 3
    assert output_of(context).stdout == b"True /usr\n"


async def test_a_language_that_is_not_installed_is_said_so(host: Reachable) -> None:
    with pytest.raises(StepFault) as fault:
        await run_file(host, host.context(), script_file(b"x", interpreter="no-such-program"))

    assert fault.value.cause.code == "program_not_found"
    assert host.folders() == []


async def test_placeholders_are_refused_where_no_rules_are_known(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    with pytest.raises(StepFault) as fault:
        await plugin.start(
            script("print('{{ text }}')", shell="python3"), demo.context(parameters={"text": "x"})
        )
    assert fault.value.cause.code == "step_invalid"


async def test_a_terminal_is_there_only_when_asked_for(host: Reachable, plugin: SshExecPlugin) -> None:
    without, inside = host.context(), host.context()
    text = "if [ -t 1 ]; then echo terminal; else echo none; fi; exit 7"

    await run(plugin, without, text)
    outcome = await run(plugin, inside, text, pty=True)

    assert output_of(without).stdout == b"none\n"
    assert output_of(inside).stdout == b"terminal\r\n"
    assert outcome.exit_code == 7


def script_file(content: bytes, **options: object) -> dict[str, object]:
    return {"type": "ssh.script", "content_base64": base64.b64encode(content).decode(), **options}


async def run_file(host: Reachable, context: StepContext, step: dict[str, object]) -> StepOutcome:
    plugin = SshScriptPlugin()
    try:
        attempt = await plugin.start(SshScript.model_validate(step), context)
        outcome = await attempt.follow()
        await attempt.release()
    finally:
        await plugin.close()
    return outcome


async def test_arguments_of_a_file_are_data(host: Reachable) -> None:
    context = host.context(parameters={"text": NASTY})
    content = b"#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:])\n"

    outcome = await run_file(
        host, context, script_file(content, arguments=["{{ text }}", "", "a b", "*", "-n"])
    )

    assert outcome.outcome == "succeeded"
    assert output_of(context).stdout.decode() == f"{[NASTY, '', 'a b', '*', '-n']}\n"


async def test_an_artifact_is_run_by_the_program_that_is_named(host: Reachable) -> None:
    artifacts = MemoryArtifacts()
    content = b"echo $0 >/dev/null; echo ${BASH_VERSION:+bash} $1\n" + b"#" * 100_000
    artifact = artifacts.put(content)
    context = host.context(artifacts=artifacts)

    await run_file(
        host,
        context,
        {"type": "ssh.script", "src": str(artifact.id), "interpreter": "bash", "arguments": ["one"]},
    )

    assert output_of(context).stdout == b"bash one\n"


async def test_secret_arguments_are_refused(demo: Reachable) -> None:
    context = demo.context(parameters={"token": "x"}, secret_parameters=frozenset({"token"}))

    with pytest.raises(StepFault) as fault:
        await run_file(demo, context, script_file(b"true", arguments=["{{ token }}"]))

    assert fault.value.cause.code == "step_invalid"
    assert "token" in str(fault.value.words["detail"])


async def test_a_file_that_is_not_in_the_store_is_said_so(demo: Reachable) -> None:
    step: dict[str, object] = {"type": "ssh.script", "src": "00000000-0000-0000-0000-000000000000"}

    with pytest.raises(StepFault) as fault:
        await run_file(demo, demo.context(artifacts=MemoryArtifacts()), step)

    assert fault.value.cause.code == "artifact_missing"
    assert not list(Path(demo.home).glob(".opsconductor/*"))
