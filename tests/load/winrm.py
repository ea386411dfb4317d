"""One command on 100 Windows hosts over WinRM, beside plain pywinrm with a thread for each host.

The hosts are simulated, in a process of their own; every message is sealed by NTLM. The command takes two
seconds, as commands do: what is measured is what the client adds to them. pywinrm opens a shell, runs the
command, fetches its output, and closes the shell; ours does that and promises more: the script goes in by
standard input behind a gate, so that a lost answer never runs it twice, and is stopped, taken over and
cleaned up after.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from winrm.protocol import Protocol

from contracts.targets.specs import WinrmSettings
from tests.load import ansible
from tests.load.laps import Lap, beside, cost, lap, speed
from tests.load.report import Row
from tests.load.rows import Bench
from tests.load.windows_hosts import USER, windows_hosts
from tests.support.outputs import CollectedOutput
from tests.support.windows import a_context, script
from workers.executor.steps.winrm_exec import WinrmExecPlugin

HOSTS = 100
ROUNDS = 3
COMMAND = "Start-Sleep 2; hostname"
ANSWER = b"SIMULATED-WIN\r\n"


async def ours(hosts: list[WinrmSettings], password: str, *, rounds: int) -> list[Lap]:
    """The same plug-in, as one executor has it; its threads are started in the first round."""
    plugin = WinrmExecPlugin()

    async def errand(settings: WinrmSettings) -> None:
        output = CollectedOutput()
        context = a_context(settings, output, username=USER, password=password)
        attempt = await plugin.start(script(COMMAND), context)
        outcome = await attempt.follow()
        await attempt.release()
        if (outcome.exit_code, output.stdout) != (0, ANSWER):
            raise RuntimeError(f"{outcome}: {output.stdout!r} {output.stderr!r}")

    try:
        return [
            await lap([lambda one=one: errand(one) for one in hosts])  # type: ignore[misc]
            for _ in range(rounds)
        ]
    finally:
        await plugin.close()


async def plain(hosts: list[WinrmSettings], password: str, *, rounds: int) -> list[Lap]:
    """pywinrm as its documentation shows it, with as many threads as hosts."""
    encoded = base64.b64encode(COMMAND.encode("utf-16-le")).decode()

    def errand(settings: WinrmSettings) -> None:
        protocol = Protocol(
            f"http://127.0.0.1:{settings.port}/wsman",
            transport="ntlm",
            username=USER,
            password=password,
            message_encryption="always",
        )
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "powershell", ["-NoProfile", "-EncodedCommand", encoded])
        said, _, code = protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)
        if (code, said) != (0, ANSWER):
            raise RuntimeError(f"{code}: {said!r}")

    with ThreadPoolExecutor(len(hosts)) as threads:
        loop = asyncio.get_running_loop()
        return [
            await lap([lambda one=one: loop.run_in_executor(threads, errand, one) for one in hosts])  # type: ignore[misc]
            for _ in range(rounds)
        ]


async def by_ansible(programs: Path, hosts: list[WinrmSettings], password: str) -> Lap:
    """The same with Ansible's `raw`: PowerShell in a shell of its own for each host."""
    common = {
        "connection": "winrm",
        "host": "127.0.0.1",
        "winrm_transport": "ntlm",
        "winrm_scheme": "http",
        "user": USER,
        "password": password,
        "shell_type": "powershell",
    }
    async with ansible.fleet(programs, [{"port": one.port} for one in hosts], common) as machines:
        return await machines.lap(COMMAND, says=ANSWER.decode().strip())


async def winrm(bench: Bench) -> AsyncIterator[Row]:
    """Fan-out over WinRM: time and processor."""
    async with windows_hosts(HOSTS) as (hosts, password):
        await ours(hosts[:5], password, rounds=1)
        await plain(hosts[:5], password, rounds=1)
        mine, other = [], []
        for number in range(ROUNDS):
            bench.note(f"winrm: {HOSTS} hosts, round {number + 1} of {ROUNDS}")
            mine.append(await ours(hosts, password, rounds=2))
            other += await plain(hosts, password, rounds=1)
        both = {"cold": [laps[0] for laps in mine], "again, by the same executor": [laps[1] for laps in mine]}
        for name, laps in both.items():
            yield Row(
                name=f"WinRM: a command of 2 s, {HOSTS} hosts, {name}; beside it pywinrm, a thread each",
                unit="s",
                ours=HOSTS / speed(laps),
                baseline=HOSTS / speed(other),
                wanted="ratio ≤ 1.35",
            )
            yield Row(
                name="… processor time of the client",
                unit="ms/host",
                ours=cost(laps),
                baseline=cost(other),
                wanted="ratio ≤ 2",
            )
        programs = await ansible.installed(bench.note)
        if programs is not None:
            bench.note(f"winrm: Ansible on {HOSTS} hosts")
            theirs = await by_ansible(programs, hosts, password)
            named = (
                f"WinRM: a command of 2 s, {HOSTS} hosts, cold; beside it Ansible's raw with {HOSTS} forks"
            )
            for row in beside(named, both["cold"], [theirs]):
                yield row
