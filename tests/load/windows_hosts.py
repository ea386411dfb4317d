"""Many simulated Windows hosts in one process of their own: their ports as JSON on the first line."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.targets.specs import WinrmSettings
from infra.sandbox.windows import WindowsHost

USER = "load"


async def serve(count: int, password: str) -> None:
    hosts = [WindowsHost(f"win-{number}", USER, password) for number in range(count)]
    for host in hosts:
        await host.start()
    sys.stdout.write(json.dumps([host.http_port for host in hosts]) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@asynccontextmanager
async def windows_hosts(count: int) -> AsyncIterator[tuple[list[WinrmSettings], str]]:
    """How to reach each, and the password of all."""
    password = secrets.token_hex(12)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.load.windows_hosts",
        str(count),
        env=os.environ | {"LOAD_PASSWORD": password},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ports = json.loads(await process.stdout.readline())
        yield [WinrmSettings(scheme="http", port=port, transport="ntlm") for port in ports], password
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), os.environ["LOAD_PASSWORD"]))
