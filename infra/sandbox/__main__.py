"""`python -m infra.sandbox`: the demo hosts in a process of their own, until SIGTERM."""

import asyncio
import os
import signal
import sys

import asyncssh
import orjson

from infra.sandbox.hosts import SandboxHosts, SandboxSettings, SandboxUnusable


async def serve(settings: SandboxSettings) -> None:
    """Serve until told to stop; one line of JSON on stdout says where, once everything listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with SandboxHosts(settings) as hosts:
        sys.stdout.write(orjson.dumps(hosts.endpoints()).decode() + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    try:
        asyncio.run(serve(SandboxSettings.from_environment(os.environ)))
    except (SandboxUnusable, OSError, asyncssh.Error) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
