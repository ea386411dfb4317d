"""A small `up` to be killed by tests: runs what its arguments say and prints JSON lines about it.

postgres DIR PORT     the embedded PostgreSQL (DIR `-`: the default folder)
children CODE…        one Python child for each piece of code, in order
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from contracts.errors import OpsError
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.services import Command, CommandService
from infra.embedded.supervisor import Supervisor
from infra.private_files import default_data_dir


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def postgres(supervisor: Supervisor, folder: str, port: str) -> None:
    data_dir = default_data_dir(os.environ, uid=os.geteuid()) / "postgres" if folder == "-" else Path(folder)
    server = EmbeddedPostgres(data_dir, int(port))
    await supervisor.start(server)
    say(pid=server.pid, folder=str(data_dir))


async def children(supervisor: Supervisor, *codes: str) -> None:
    for index, code in enumerate(codes):
        command = Command(name=f"child-{index}", argv=[sys.executable, "-uc", code], env={}, grace=0.5)
        child = CommandService(command, on_line=lambda name, line: say(child=name, line=line))
        await supervisor.start(child)
        say(pid=child.pid)


async def main(kind: str, *arguments: str) -> int:
    async with Supervisor(note=lambda text: say(note=text)) as supervisor:
        if kind == "postgres":
            await postgres(supervisor, *arguments)
        else:
            await children(supervisor, *arguments)
        reason = await supervisor.run()
    say(reason=reason.text)
    return reason.exit_code


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(*sys.argv[1:])))
    except OpsError as error:
        say(error=str(error), code=error.code)
        sys.exit(1)
