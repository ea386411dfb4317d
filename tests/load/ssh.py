"""One command on many machines over SSH, beside plain asyncssh in the same run, against one real sshd.

Every host is a connection of its own to that server; the key exchange is pinned, so that both clients and the
server do the same arithmetic. Cold: log in, run, clean up. Warm: the same again over the open connections.
"""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncssh

from tests.load import ansible
from tests.load.laps import Lap, beside, cost, lap, speed
from tests.load.report import Row
from tests.load.rows import Bench
from tests.support.ssh import Reachable, ordinary_user, output_of, real_sshd, run, sshd_is_installed
from workers.executor.steps.base import StepContext
from workers.executor.steps.ssh_exec import Connections, SshExecPlugin

ROUNDS = {50: 5, 100: 3}
"""By the number of hosts."""
KEY_EXCHANGE = "curve25519-sha256"
CIPHER = "chacha20-poly1305@openssh.com"
"""What asyncssh alone chooses."""
COMMAND = "echo hello"
Laps = tuple[Lap, Lap]
"""Cold and warm."""


async def ours(host: Reachable, count: int) -> Laps:
    """The plug-in as one executor has it."""
    plugin = SshExecPlugin(Connections(connect_seconds=60))
    credential = host.credential
    targets = [replace(host.target, id=uuid4()) for _ in range(count)]

    async def errand(context: StepContext) -> None:
        outcome = await run(plugin, context, COMMAND)
        if outcome.exit_code != 0 or output_of(context).stdout != b"hello\n":
            raise RuntimeError(f"{outcome}: {output_of(context).stdout!r}")

    async def all_of_them() -> Lap:
        contexts = [host.context(target=target, credential=credential) for target in targets]
        return await lap([lambda context=context: errand(context) for context in contexts])  # type: ignore[misc]

    try:
        return await all_of_them(), await all_of_them()
    finally:
        await plugin.close()


async def plain(host: Reachable, count: int) -> Laps:
    """The same with asyncssh alone."""
    key = asyncssh.import_private_key(host.secrets["private_key"])
    trusted: tuple[list[asyncssh.SSHKey], ...] = ([asyncssh.import_public_key(host.host_key)], [], [])
    connections: list[asyncssh.SSHClientConnection] = []

    async def log_in_and_run() -> None:
        connection = await asyncssh.connect(
            "127.0.0.1",
            host.port,
            config=None,
            known_hosts=trusted,
            username=host.username,
            client_keys=[key],
            agent_path=None,
            connect_timeout=60,
        )
        connections.append(connection)
        await run_on(connection)

    async def run_on(connection: asyncssh.SSHClientConnection) -> None:
        done = await connection.run(COMMAND)
        if done.stdout != "hello\n":
            raise RuntimeError(f"{done}")

    cold = await lap([log_in_and_run] * count)
    warm = await lap([lambda connection=connection: run_on(connection) for connection in connections])  # type: ignore[misc]
    for connection in connections:
        connection.close()
    await asyncio.gather(*(connection.wait_closed() for connection in connections))
    return cold, warm


async def by_ansible(programs: Path, host: Reachable, count: int, folder: Path) -> Laps:
    """The same with Ansible's `raw`, which keeps OpenSSH's connections open."""
    key = folder / "ansible-key"
    key.touch(mode=0o600)
    key.write_text(host.secrets["private_key"])
    common = {
        "connection": "ssh",
        "host": "127.0.0.1",
        "port": host.port,
        "user": host.username,
        "ssh_private_key_file": str(key),
        "ssh_use_tty": False,
    }
    async with ansible.fleet(programs, [{}] * count, common) as machines:
        return await machines.lap(COMMAND, says="hello"), await machines.lap(COMMAND, says="hello")


async def ssh(bench: Bench) -> AsyncIterator[Row]:
    """Fan-out over SSH, cold and warm."""
    async with server() as host:
        for count, rounds in ROUNDS.items():
            mine, other = await _in_turns(bench, host, count, rounds)
            for row in _rows(count, mine, other):
                yield row
        programs = await ansible.installed(bench.note)
        if programs is not None:
            bench.note(f"ssh: Ansible on {count} hosts")
            theirs = await by_ansible(programs, host, count, bench.folder)
            for number, name in enumerate(("cold", "warm")):
                named = f"SSH fan-out to {count} hosts, {name}; beside it Ansible's raw with {count} forks"
                for row in beside(named, [laps[number] for laps in mine], [theirs[number]]):
                    yield row
    async with server(f"Ciphers {CIPHER}") as host:
        count = min(ROUNDS)
        mine, other = await _in_turns(bench, host, count, ROUNDS[count])
        named = f"SSH fan-out to {count} hosts, cold, cipher pinned as well; beside it asyncssh alone"
        for row in beside(named, [laps[0] for laps in mine], [laps[0] for laps in other]):
            yield row


@asynccontextmanager
async def server(*options: str) -> AsyncIterator[Reachable]:
    """A real sshd that allows one key exchange, warmed up."""
    if not sshd_is_installed():
        raise RuntimeError("needs an OpenSSH server (Debian: openssh-server)")
    user = pwd.getpwuid(0) if os.getuid() == 0 else ordinary_user()
    if user is None:
        raise RuntimeError("needs an account that may log in")
    pinned = [f"KexAlgorithms {KEY_EXCHANGE}", "MaxStartups 1000", *options]
    async with real_sshd(user, options=pinned) as host:
        await ours(host, 5)
        await plain(host, 5)
        yield host


async def _in_turns(bench: Bench, host: Reachable, count: int, rounds: int) -> tuple[list[Laps], list[Laps]]:
    mine, other = [], []
    for number in range(rounds):
        bench.note(f"ssh: {count} hosts, round {number + 1} of {rounds}")
        mine.append(await ours(host, count))
        other.append(await plain(host, count))
    return mine, other


def _rows(count: int, mine: Sequence[Laps], other: Sequence[Laps]) -> tuple[Row, ...]:
    (cold, warm), (plain_cold, plain_warm) = zip(*mine, strict=True), zip(*other, strict=True)
    return (
        Row(
            name=f"SSH fan-out to {count} hosts, cold; beside it asyncssh alone",
            unit="hosts/s",
            ours=speed(cold),
            baseline=speed(plain_cold),
            wanted="ratio ≥ 0.8",
        ),
        Row(
            name="… processor time of the client, cold",
            unit="ms/host",
            ours=cost(cold),
            baseline=cost(plain_cold),
            wanted="ratio ≤ 1.5",
        ),
        Row(
            name=f"SSH fan-out to {count} hosts, warm; beside it asyncssh alone",
            unit="hosts/s",
            ours=speed(warm),
            baseline=speed(plain_warm),
        ),
        Row(
            name=f"SSH fan-out to {count} hosts, warm; beside it our own cold one",
            unit="hosts/s",
            ours=speed(warm),
            baseline=speed(cold),
            wanted="ratio ≥ 3",
        ),
    )
