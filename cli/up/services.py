"""The processes that `up` keeps running, and how each says that it is ready."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from cli.up.environments import LOOPBACK, Wiring, python_module
from infra.embedded.logs import LogFolder
from infra.embedded.services import Command, CommandService, OnServiceLine

PROBE_SECONDS = 2.0
READY_SECONDS = 60.0
GRACE_SECONDS = 30.0
SANDBOX_GRACE_SECONDS = 5.0


class Output:
    """Where children's lines go: always a bounded log, the terminal only when asked for."""

    def __init__(self, logs: LogFolder, show: Callable[[str], None] | None) -> None:
        self._logs = logs
        self._show = show

    def __call__(self, name: str, line: str) -> None:
        self._logs.write(name, line)
        if self._show is not None:
            self._show(f"{name}: {line}")


def broker(wiring: Wiring, output: OnServiceLine) -> CommandService:
    """The embedded AMQP endpoint, ready when it takes connections."""

    async def ready() -> bool:
        _, writer = await asyncio.open_connection(LOOPBACK, wiring.ports.amqp)
        writer.close()
        return True

    return CommandService(
        Command(
            name="broker",
            argv=python_module("infra.embedded.amqp"),
            env=wiring.for_broker(),
            ready=ready,
            ready_within=READY_SECONDS,
            grace=SANDBOX_GRACE_SECONDS,
        ),
        on_line=output,
    )


class Sandbox(CommandService):
    """The demo hosts. They tell on their first line where they listen."""

    def __init__(self, wiring: Wiring, output: OnServiceLine) -> None:
        self.endpoints: Mapping[str, Mapping[str, Any]] = {}
        command = Command(
            name="sandbox",
            argv=python_module("infra.sandbox"),
            env=wiring.for_sandbox(),
            ready=self._told,
            ready_within=READY_SECONDS,
            grace=SANDBOX_GRACE_SECONDS,
        )
        self._output = output
        super().__init__(command, on_line=self._listen)

    async def start(self) -> None:
        self.endpoints = {}
        await super().start()

    async def _told(self) -> bool:
        return bool(self.endpoints)

    def _listen(self, name: str, line: str) -> None:
        self._output(name, line)
        if not self.endpoints and line.startswith("{"):
            self.endpoints = json.loads(line)


def gateway(
    wiring: Wiring,
    output: OnServiceLine,
    *,
    database_url: str,
    first_password: str | None,
    made_up: bool = False,
    sandbox: bool = False,
) -> CommandService:
    host = LOOPBACK if wiring.host in {"0.0.0.0", "::", ""} else wiring.host  # noqa: S104  (compared, not bound)
    return CommandService(
        Command(
            name="gateway",
            argv=python_module("gateway"),
            env=wiring.for_gateway(
                database_url, first_password=first_password, made_up=made_up, sandbox=sandbox
            ),
            ready=lambda: is_ready(host, wiring.ports.http),
            ready_within=READY_SECONDS,
            grace=GRACE_SECONDS,
        ),
        on_line=output,
    )


def workers(wiring: Wiring, output: OnServiceLine, *, database_url: str) -> CommandService:
    """All worker roles in one process: the only one that is given the private key."""
    return CommandService(
        Command(
            name="workers",
            argv=python_module("workers"),
            env=wiring.for_workers(database_url),
            ready=lambda: is_ready(LOOPBACK, wiring.ports.workers),
            ready_within=READY_SECONDS,
            grace=GRACE_SECONDS,
        ),
        on_line=output,
    )


async def is_ready(host: str, port: int) -> bool:
    """Whether `GET /readyz` answers 200 there. OSError when nobody listens.

    A hand-written request, because importing an HTTP client would cost the start more than all probes.
    """
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET /readyz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode("ascii"))
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except TimeoutError:
        return False
