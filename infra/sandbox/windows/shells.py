"""Remote shells and their commands: streams, signals, processes, idle time-out (MS-WSMV 3.1.4)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal
from uuid import uuid4

from infra.sandbox.windows import soap

CONTROL_C_EXIT = 0xC000013A
PIPE_BYTES = 1024 * 1024
"""Output waiting to be fetched; a writer waits when there is more."""

Stream = Literal["stdout", "stderr"]
_process_ids = count(4000, 4)


@dataclass(slots=True)
class Process:
    """A simulated child process of a shell; it ends by itself or with its shell."""

    name: str
    id: int = field(default_factory=lambda: next(_process_ids))
    task: asyncio.Task[None] | None = None


class Command:
    """One command line of a shell: what it wrote, what it may read, and how it ended."""

    def __init__(self, shell: "Shell", line: str) -> None:
        self.id = str(uuid4()).upper()
        self.shell = shell
        self.line = line
        self.exit_code: int | None = None
        self.aborted = False
        self.receiving = False
        self.stdin = asyncio.StreamReader()
        self.stdin_open = True
        self._frames: deque[tuple[Stream, bytes]] = deque()
        self._waiting = 0
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def run(self, program: Callable[["Command"], Awaitable[int]]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(program))

    async def _run(self, program: Callable[["Command"], Awaitable[int]]) -> None:
        try:
            code = await program(self)
        except asyncio.CancelledError:
            code = CONTROL_C_EXIT
        await self._end(code)

    async def _end(self, code: int) -> None:
        async with self._changed:
            if self.exit_code is None:
                self.exit_code = code
            self._changed.notify_all()

    async def write(self, stream: Stream, data: bytes) -> None:
        """Wait for room, then add to what Receive will fetch."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting < PIPE_BYTES)
            if data:
                self._frames.append((stream, data))
                self._waiting += len(data)
                self._changed.notify_all()

    def feed(self, data: bytes, *, end: bool) -> None:
        """Raises Fault when the pipe has ended."""
        if self.exit_code is not None or not self.stdin_open:
            raise soap.Fault(soap.PIPE_ENDED, "The pipe has been ended.")
        self.stdin.feed_data(data)
        if end:
            self.stdin.feed_eof()
            self.stdin_open = False

    async def receive(self, limit: int, timeout: float) -> tuple[list[tuple[Stream, bytes]], int | None]:
        """Output of at most `limit` bytes and, once everything was fetched, the exit code.

        Raises Fault: timed out without output, aborted by terminate, or another Receive is under way.
        """
        if self.receiving:
            raise soap.Fault(soap.RECEIVE_IN_PROGRESS, "A receive operation is already in progress.")
        self.receiving = True
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(
                    lambda: self._frames or self.exit_code is not None or self.aborted
                )
                if self.aborted:
                    raise soap.Fault(soap.OPERATION_ABORTED, "The I/O operation has been aborted.")
                frames = self._take(limit)
                self._changed.notify_all()
                return frames, None if self._frames else self.exit_code
        except TimeoutError:
            raise soap.Fault(
                soap.OPERATION_TIMED_OUT,
                "The WS-Management service cannot complete the operation within the time specified.",
                subcode="w:TimedOut",
            ) from None
        finally:
            self.receiving = False

    def _take(self, limit: int) -> list[tuple[Stream, bytes]]:
        taken: list[tuple[Stream, bytes]] = []
        while self._frames and limit > 0:
            stream, data = self._frames.popleft()
            if len(data) > limit:
                self._frames.appendleft((stream, data[limit:]))
                data = data[:limit]
            taken.append((stream, data))
            limit -= len(data)
            self._waiting -= len(data)
        return taken

    async def interrupt(self) -> None:
        """What Ctrl+C does: the command ends with 0xC000013A, its output can still be fetched."""
        if self._task is not None and self.exit_code is None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def abort(self) -> None:
        """What terminate does: whoever waits in Receive is told that the operation was aborted."""
        async with self._changed:
            self.aborted = self.exit_code is None
            self._changed.notify_all()
        await self.interrupt()


class Shell:
    """State that the commands of one client share: environment, folder, child processes."""

    def __init__(
        self, owner: str, environment: Mapping[str, str], folder: str, idle: float, *, wanted: str | None
    ) -> None:
        """`wanted` is the id that the client asks for."""
        self.id = (wanted or str(uuid4())).upper()
        self.owner = owner
        self.environment = dict(environment)
        self.folder = folder
        self.codepage = 437
        self.idle = idle
        self.commands: dict[str, Command] = {}
        self.processes: list[Process] = []

    def command(self, command_id: str | None) -> Command:
        """Raises Fault when there is none of that id."""
        command = self.commands.get((command_id or "").upper())
        if command is None:
            raise soap.Fault(soap.SHELL_NOT_FOUND, "The command was not found in this shell.")
        return command

    def start(self, line: str, program: Callable[[Command], Awaitable[int]]) -> Command:
        """Raises Fault while another command of this shell runs (MS-WSMV, notes 116 and 121)."""
        if any(command.exit_code is None for command in self.commands.values()):
            raise soap.Fault(soap.TOO_MANY_OPERATIONS, "Another command runs in this shell.")
        command = Command(self, line)
        self.commands[command.id] = command
        command.run(program)
        return command

    def spawn(self, name: str, seconds: float) -> Process:
        """A child that outlives its command unless the shell ends first."""
        process = Process(name)

        async def live() -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                self.processes.remove(process)

        self.processes.append(process)
        process.task = asyncio.get_running_loop().create_task(live())
        return process

    async def end(self) -> None:
        """End every command and every child process."""
        for command in tuple(self.commands.values()):
            await command.abort()
        tasks = [process.task for process in self.processes if process.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.processes.clear()
