"""A hundred hosts that flood output, one listener that follows all of it, and what that takes in memory.

Real commands over SSH on a real sshd, masked, stored in PostgreSQL and sent to one listener in a process of
its own. The whole way is measured, from the request to the last byte the listener decoded; and the second
half of it alone, when somebody follows the run after it has ended.
"""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncssh

from contracts.limits import OUTPUT_TAIL_BYTES
from tests.load.children import asked
from tests.load.report import Row
from tests.load.rows import Bench
from tests.load.systems import Product, product
from tests.support.ssh import Reachable, real_sshd, sshd_is_installed
from workers.executor.steps.ssh_exec.channel import UNREAD_BYTES

HOSTS = 100
KIBIBYTES = 512
"""What each host writes."""
MEGABYTE = 1_000_000
LISTENING_SECONDS = 120.0
BOUND_MIB = (3 * UNREAD_BYTES + 2 * OUTPUT_TAIL_BYTES) / 2**20
"""What one attempt may hold at once: what has come and is not stored yet, in as many copies as it is looked
through, and the ends of both streams."""
LINE = "0123456789abcdef" * 6
COMMAND = f"yes {LINE} | head -c {KIBIBYTES * 1024}"


async def live(bench: Bench) -> AsyncIterator[Row]:
    """Live output end to end, and memory while it flows."""
    if not sshd_is_installed():
        raise RuntimeError("needs an OpenSSH server (Debian: openssh-server)")
    bench.note(f"live: {HOSTS} targets, {KIBIBYTES} KiB of output each")
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(
            real_sshd(pwd.getpwuid(os.getuid()), options=["MaxStartups 1000"])
        )
        system = await stack.enter_async_context(product(bench.pair, bench.folder))
        await add_hosts(system, host, HOSTS)
        await _flood(system, 2)
        before, idle = system.memory_mib(), system.peak_mib("workers")
        told, most = await _flood(system, HOSTS)
        peak = system.peak_mib("workers")
        bench.note("live: all of it has come; following the same run once more")
        again = await _listened(system, told["run"])
        bench.note("live: the same output into asyncssh alone")
        bare = await _plain_flood(host)
    size = HOSTS * KIBIBYTES * 1024
    if {told["bytes"], again["bytes"]} != {size}:
        raise RuntimeError(f"of {size} bytes the listener got {told['bytes']} and {again['bytes']}")
    yield Row(
        name=f"output of {HOSTS} hosts over SSH to one listener, from request to last byte; beside it"
        " asyncssh alone, which only counts it",
        unit="MB/s",
        ours=size / (told["ended"] - told["asked"]) / MEGABYTE,
        baseline=size / bare / MEGABYTE,
        note=f"{size / MEGABYTE:.0f} MB, none missing",
    )
    yield Row(
        name="… the same run followed after its end: stored output to one listener",
        unit="MB/s",
        ours=size / (again["ended"] - again["began"]) / MEGABYTE,
        wanted="ours ≥ 20",
    )
    yield Row(
        name=f"… most memory of gateway and workers while {HOSTS} hosts flood; beside it before",
        unit="MiB",
        ours=most,
        baseline=before,
    )
    yield Row(
        name="… most memory of the workers alone (their high-water mark); beside it before",
        unit="MiB",
        ours=peak,
        baseline=idle,
        wanted=f"ours ≤ before + {HOSTS * BOUND_MIB:.0f} MiB",
        note=f"at most {BOUND_MIB:.3g} MiB an attempt",
    )


async def add_hosts(system: Product, host: Reachable, count: int) -> None:
    """So many targets `host-0` … that are all the same machine, and the credential for it."""
    key = {
        "name": "load",
        "type": "ssh",
        "username": host.username,
        "private_key": host.secrets["private_key"],
    }
    made = await system.post("/api/v1/credentials", key)
    way = {"credential_id": made["id"], "ssh": {"port": host.port, "host_key": host.host_key}}
    for number in range(count):
        body = {"name": f"host-{number}", "os": "linux", "hostname": "127.0.0.1"}
        await system.post("/api/v1/targets", body | way)


async def _plain_flood(host: Reachable) -> float:
    """Seconds from the first login until all of the same output has been counted."""
    key = asyncssh.import_private_key(host.secrets["private_key"])
    trusted: tuple[list[asyncssh.SSHKey], ...] = ([asyncssh.import_public_key(host.host_key)], [], [])
    began = asyncio.get_running_loop().time()

    async def counted() -> int:
        async with asyncssh.connect(
            "127.0.0.1",
            host.port,
            config=None,
            known_hosts=trusted,
            username=host.username,
            client_keys=[key],
            agent_path=None,
            connect_timeout=60,
        ) as connection:
            return len((await connection.run(COMMAND, encoding=None)).stdout or b"")

    sizes = await asyncio.gather(*(counted() for _ in range(HOSTS)))
    if set(sizes) != {KIBIBYTES * 1024}:
        raise RuntimeError(f"asyncssh alone got {set(sizes)} bytes")
    return asyncio.get_running_loop().time() - began


async def _flood(system: Product, count: int) -> tuple[dict[str, Any], float]:
    """What a listener got of one command on so many hosts, and the most memory seen meanwhile."""
    step = {"type": "ssh.exec", "command": COMMAND}
    names = [f"host-{number}" for number in range(count)]
    job = await system.post("/api/v1/jobs", {"name": f"flood {count}", "steps": [step], "targets": names})
    asked = asyncio.get_running_loop().time()
    run = await system.post(f"/api/v1/jobs/{job['id']}/run", {})
    listening = asyncio.create_task(_listened(system, run["id"]))
    most = 0.0
    while not listening.done():
        most = max(most, system.memory_mib())
        await asyncio.sleep(0.1)
    return await listening | {"asked": asked, "run": run["id"]}, most


async def _listened(system: Product, run: str) -> dict[str, Any]:
    order = {"port": system.port, "path": f"/api/v1/runs/{run}/events", "headers": system.headers}
    told = await asked("tests.load.listener", order, within=LISTENING_SECONDS)
    if told["status"] != "succeeded":
        raise RuntimeError(f"the run ended as {told}")
    return told
