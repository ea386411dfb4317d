"""What a supervisor can look after: anything that starts, ends and stops; first of all a child process."""

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from infra.embedded.errors import ServiceFailed
from infra.embedded.process import ChildProcess, describe_exit

READY_EVERY_SECONDS = 0.05

OnServiceLine = Callable[[str, str], None]
"""Called with the service's name and one line that it wrote."""


class Service(Protocol):
    """Starts more than once, one life after the other."""

    @property
    def name(self) -> str: ...

    async def start(self) -> object:
        """Return when it is ready. Raise ServiceFailed, leaving nothing running, when it cannot be."""

    async def wait(self) -> str:
        """Return how it ended, in words, once it has."""
        ...

    async def stop(self) -> None:
        """End it gently within a bounded time; fine when it has already ended."""

    def kill(self) -> None:
        """End it at once, without waiting."""


async def always_ready() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to run a child. `ready` is asked until it says True; an OSError means not yet. Times in seconds."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    ready: Callable[[], Awaitable[bool]] = always_ready
    ready_within: float = 60.0
    grace: float = 30.0


class CommandService:
    """A child process as a service: SIGTERM, `grace` seconds, then SIGKILL for it and its process group."""

    def __init__(self, command: Command, *, on_line: OnServiceLine) -> None:
        self._command = command
        self._on_line = on_line
        self._recent: deque[str] = deque(maxlen=20)
        self._process: ChildProcess | None = None

    @property
    def name(self) -> str:
        return self._command.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.alive() else None

    async def start(self) -> None:
        self._recent.clear()
        command = self._command
        try:
            self._process = await ChildProcess.spawn(
                command.argv, on_line=self._keep, env=command.env, cwd=command.cwd
            )
            await self._until_ready(self._process)
        except BaseException as error:
            self.kill()
            if self._process is not None:
                await self._process.wait()
            if isinstance(error, OSError):
                raise ServiceFailed(f"{self.name} cannot be started: {error}.") from error
            raise

    async def wait(self) -> str:
        return describe_exit(await self._process.wait()) if self._process is not None else "never started"

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop((signal.SIGTERM, self._command.grace))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    async def _until_ready(self, process: ChildProcess) -> None:
        ready = asyncio.create_task(_poll(self._command.ready))
        ended = asyncio.create_task(process.wait())
        limit = self._command.ready_within
        try:
            await asyncio.wait({ready, ended}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise ServiceFailed.with_log(
                    f"{self.name} ended before it was ready ({describe_exit(await ended)}).", self._recent
                )
            if not ready.done():
                raise ServiceFailed.with_log(f"{self.name} was not ready after {limit:g} s.", self._recent)
            await ready
        finally:
            ready.cancel()
            ended.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def _keep(self, line: str) -> None:
        self._recent.append(line)
        self._on_line(self.name, line)


async def _poll(ready: Callable[[], Awaitable[bool]]) -> None:
    while True:
        try:
            if await ready():
                return
        except OSError:
            pass  # nobody listens there yet
        await asyncio.sleep(READY_EVERY_SECONDS)
