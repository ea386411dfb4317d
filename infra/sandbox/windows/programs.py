"""From a command line that a client sent to the simulated program it starts."""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.sandbox.windows import batch, copying
from infra.sandbox.windows.clixml import ErrorStream, PlainErrors
from infra.sandbox.windows.gate import NEVER_OPENED, NO_FOLDER, Gate, body_of, gate_of, read_script
from infra.sandbox.windows.powershell.interpreter import Session
from infra.sandbox.windows.shells import Command, Shell
from infra.sandbox.windows.system import System

if TYPE_CHECKING:
    from infra.sandbox.windows.host import WindowsHost

POWERSHELL = re.compile(r"\"?(?:\S*\\)?(?:powershell|pwsh)(?:\.exe)?\"?\s+(.*)$", re.IGNORECASE | re.DOTALL)
PWSH = re.compile(r"\"?pwsh(?:\.exe)?\b", re.IGNORECASE)
NOT_RECOGNIZED = (
    "'pwsh.exe' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
)
ENCODED = re.compile(r"-e(?:nc|ncodedcommand|c)?\s+(\S+)\s*$", re.IGNORECASE)
PLAIN = re.compile(r"-c(?:ommand)?\s+(.*)$", re.IGNORECASE | re.DOTALL)
CMD_LIMIT = 8191
LINE_TOO_LONG = "The command line is too long.\r\n"


async def run_command_line(host: "WindowsHost", shell: Shell, command: Command) -> int:
    """Run it to its end; the exit code."""
    host.command_lines.append(command.line)
    system = _system(host, shell, command)
    if len(command.line) > CMD_LIMIT:
        await system.write("stderr", LINE_TOO_LONG.encode())
        return 1
    if PWSH.match(command.line) and not host.has_pwsh:
        await system.write("stderr", NOT_RECOGNIZED.encode())
        return 1
    powershell = POWERSHELL.match(command.line)
    if powershell is None:
        return await _journaled(
            host, command.id, "cmd", command.line, batch.run(command.line, system, delayed=False)
        )
    encoded, plain = ENCODED.search(powershell[1]), PLAIN.search(powershell[1])
    if encoded is not None:
        return await _encoded(host, command, system, encoded[1])
    script = plain[1].strip().strip('"') if plain else ""
    if script in {"-", ""}:
        script = (await command.stdin.read()).decode("utf-8", "replace")
    return await _powershell(host, command.id, system, script)


async def _encoded(host: "WindowsHost", command: Command, system: System, value: str) -> int:
    try:
        script = base64.b64decode(value, validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        await system.write(
            "stderr", b"Cannot process the command because the value is not properly encoded.\r\n"
        )
        return 1
    if copying.is_copy(script):
        return await copying.run(host.disk, command, host.knobs)
    gate = gate_of(script)
    if gate is None:
        return await _powershell(host, command.id, system, script)
    return await _gated(host, command, system, gate)


async def _gated(host: "WindowsHost", command: Command, system: System, gate: Gate) -> int:
    payload = await read_script(gate, command.stdin)
    if payload is None:
        return NEVER_OPENED
    body = body_of(payload)
    system = replace(system, stdin=body.stdin, console=None, folder=body.folder or system.folder)
    system.environment.update(body.environment)
    if not host.has_folder(system.folder):
        missing = f"Cannot find path '{system.folder}' because it does not exist.\r\n"
        await system.write("stderr", missing.encode())
        return NO_FOLDER
    await system.write("stdout", gate.opened_line)
    if gate.kind != "cmd":
        return await _powershell(host, gate.nonce, system, body.script, kind=gate.kind)
    file = f"ops-{gate.nonce}.cmd"
    host.machine.batch_files.add(file)
    running = batch.run(body.script, system, delayed=body.delayed)
    code = await _journaled(host, gate.nonce, "cmd", body.script, running)
    host.machine.batch_files.discard(file)  # a killed PowerShell does not come to this
    return code


async def _powershell(
    host: "WindowsHost", marker: str, system: System, script: str, kind: str = "powershell"
) -> int:
    errors = PlainErrors(system.write) if kind == "pwsh" else ErrorStream(system.write)
    await errors.progress("Preparing modules for first use.")
    session = Session(system, errors)
    code = await _journaled(host, marker, kind, script, session.run(script))
    await errors.end()
    return code


async def _journaled(
    host: "WindowsHost", marker: str, shell: str, script: str, running: Awaitable[int]
) -> int:
    entry = host.journal_entry(marker, shell, script)
    loop = asyncio.get_running_loop()
    try:
        code = await running
    except asyncio.CancelledError:
        entry.how = "stopped"
        raise
    else:
        entry.how = f"exit {code}"
        return code
    finally:
        entry.ended = loop.time()


def _system(host: "WindowsHost", shell: Shell, command: Command) -> System:
    async def write(stream: str, data: bytes) -> None:
        await command.write("stderr" if stream == "stderr" else "stdout", data)

    return System(
        computer=host.computer_name,
        user=host.username,
        folder=shell.folder,
        environment={name.upper(): value for name, value in shell.environment.items()},
        services=host.services,
        machine=host.machine,
        disk=host.disk,
        spawn=shell.spawn,
        processes=lambda: shell.processes,
        write=write,
        console=command.stdin,
    )
