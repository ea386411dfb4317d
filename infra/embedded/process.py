"""One child process: its own session, its output as lines, dead when we are dead."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.embedded import launch

LINE_BYTES = 64 * 1024
"""A longer line is cut into pieces of this size."""

DRAIN_SECONDS = 1.0
"""How long output is still read after the process ended: a grandchild may hold the pipe open for ever."""

OnLine = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int


def describe_exit(code: int) -> str:
    """An exit code as `Process.returncode` gives it, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class LineSplitter:
    """Bytes in, lines out; nothing is lost and no line is longer than LINE_BYTES."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        lines = [piece for line in whole for piece in _pieces(line)]
        while len(self._rest) >= LINE_BYTES:
            lines.append(self._rest[:LINE_BYTES])
            self._rest = self._rest[LINE_BYTES:]
        return [_text(line) for line in lines]

    def end(self) -> list[str]:
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + LINE_BYTES] for at in range(0, len(line), LINE_BYTES)] or [b""]


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "replace")


class ChildProcess:
    """A running program. Ctrl-C in our terminal does not reach it: it leads its own session.

    Where the kernel can (Linux), it gets `death_signal` when the thread that spawned it ends, kill -9 too.
    What it leaves behind in its process group ends with it.
    """

    def __init__(self, process: Process, output: asyncio.Task[None]) -> None:
        self._process = process
        self._output = output
        self._finished = asyncio.create_task(self._finish())

    @classmethod
    async def spawn(
        cls,
        argv: Sequence[str],
        *,
        on_line: OnLine,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> "ChildProcess":
        """Start `argv` (an absolute path first), as `account` when given; stdout and stderr come as one.

        A program that cannot be executed ends with exit code 126 and says why on its output.
        """
        uid, gid = (str(account.uid), str(account.gid)) if account else ("-", "-")
        prelude = [launch.__file__, str(os.getpid()), str(int(death_signal)), uid, gid]
        # Our own pipe: asyncio's `wait` would also wait for grandchildren to close theirs.
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", *prelude, *argv,
                stdin=DEVNULL, stdout=write_end, stderr=write_end, env=env, cwd=cwd, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        return cls(process, asyncio.create_task(_read_lines(read_end, on_line)))

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """The exit code, negative for a signal, once the process ended and its output was handed on."""
        return await asyncio.shield(self._finished)

    def send(self, number: signal.Signals) -> None:
        """Signal the process; nothing happens when it has already ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL for the process and whatever it started in its session's first group."""
        if self.alive():
            self._kill_group()

    async def stop(self, *steps: tuple[signal.Signals, float]) -> int:
        """Send each signal and wait its seconds; whoever is still there afterwards is killed."""
        for number, seconds in steps:
            self.send(number)
            ended, _ = await asyncio.wait({self._finished}, timeout=seconds)
            if ended:
                break
        self.kill()
        return await self.wait()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
            os.killpg(self.pid, signal.SIGKILL)

    async def _finish(self) -> int:
        code = await self._process.wait()
        self._kill_group()
        _, unread = await asyncio.wait({self._output}, timeout=DRAIN_SECONDS)
        if unread:
            self._output.cancel()
        with suppress(asyncio.CancelledError):  # ours, of the line above
            await self._output
        return code


async def _read_lines(read_end: int, on_line: OnLine) -> None:
    reader, splitter = asyncio.StreamReader(), LineSplitter()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        while chunk := await reader.read(LINE_BYTES):
            for line in splitter.feed(chunk):
                on_line(line)
        for line in splitter.end():
            on_line(line)
    finally:
        transport.close()
