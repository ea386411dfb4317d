"""A few lines of output cost the host no program of their own, and arrive as exactly as any other."""

from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.ssh import Reachable, output_of, run, sandbox
from workers.executor.steps.ssh_exec import SshExecPlugin

SAID = {
    "one line": b"hello\n",
    "no line end": b"one\ntwo",
    "empty lines": b"\n\n  \n\n",
    "spaces and backslashes": b"  a\\nb\\\\  %s %d\t\\\n\\",
    "a backslash before the end": b"a\\\nb\\\n",
    "zero bytes": b"a\0b\n\0\n",
    "only a zero byte": b"\0",
    "zero bytes that a missing line end makes up for": b"a\0b\nc",
    "no text": b"\xff\xfe\n\x80\n",
    "several bytes a character": "ä€𝄞\n".encode(),
    "as long as short may be": b"x" * 998 + b"\n",
    "a little longer": b"y" * 999 + b"\n",
    "an option": b"-n\n-e\\t\n--\n",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
async def test_short_output_arrives_byte_for_byte(
    host: Reachable, plugin: SshExecPlugin, said: bytes
) -> None:
    context = host.context()

    outcome = await run(plugin, context, f"echo {b64encode(said).decode()} | base64 -d; echo told >&2")

    assert outcome.exit_code == 0
    assert (output_of(context).stdout, output_of(context).stderr) == (said, b"told\n")


async def test_a_short_command_starts_no_program_that_a_built_in_can_replace(
    tmp_path: Path, plugin: SshExecPlugin
) -> None:
    counted = {"cat", "tee", "head", "dd", "mkdir", "rm", "sleep", "setsid", "id"}
    for name in counted:
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho {name} >>"{tmp_path}/started"\nPATH=/usr/bin:/bin exec {name} "$@"\n'
        )
        program.chmod(0o755)
    async with sandbox(programs=tmp_path) as host:
        await run(plugin, host.context(), ":")  # makes the folder of all attempts
        (tmp_path / "started").unlink()

        await run(plugin, host.context(target=host.target), "echo hello")

    assert sorted((tmp_path / "started").read_text().split()) == ["mkdir", "rm", "setsid", "tee", "tee"]
