"""Processes of a sandbox host: passing bytes through, and finding every one of them again."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

CHUNK = 256 * 1024
MARK = "OPS_SANDBOX_MARK"
"""Environment variable that every process of a sandbox host inherits, whatever session it moves to."""


class Source(Protocol):
    async def read(self, n: int = ..., /) -> bytes: ...


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...
    async def drain(self) -> None: ...


class OutputPipe:
    """A pipe that a child writes to; closing our end makes its next write fail, as under sshd."""

    def __init__(self) -> None:
        self._reading_end, self.writing_end = os.pipe()
        self._held = True
        self._reader = asyncio.StreamReader(limit=CHUNK)
        self._transport: asyncio.ReadTransport | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        file = os.fdopen(self._reading_end, "rb", 0)
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), file
        )

    def release_writing_end(self) -> None:
        """Leave the writing end to the child alone, so that its end is seen here."""
        if self._held:
            self._held = False
            os.close(self.writing_end)

    async def drain_into(self, sink: Sink) -> None:
        """Copy until the child's side ends or the sink has gone."""
        await _copy(self._reader, sink)
        self.close()

    def close(self) -> None:
        self.release_writing_end()
        if self._transport is not None:
            self._transport.close()


@contextlib.asynccontextmanager
async def output_pipe() -> AsyncIterator[OutputPipe]:
    pipe = OutputPipe()
    try:
        await pipe.open()
        yield pipe
    finally:
        pipe.close()


async def feed(source: Source, child_input: asyncio.StreamWriter) -> None:
    """Copy into a child's input, then end it."""
    await _copy(source, child_input)
    child_input.close()


async def _copy(source: Source, sink: Sink) -> None:
    # An OSError says that the other side has gone: what is left in the source has no reader any more.
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()


def marked_processes(mark: str) -> list[int]:
    """Pids whose environment holds `mark`. Empty where there is no /proc."""
    found: list[int] = []
    needle = mark.encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            state = (entry / "stat").read_bytes().rpartition(b") ")[2][:1]
        except OSError:
            # It ended meanwhile, or belongs to another user and so is not ours.
            continue
        if needle in environment.split(b"\0") and state != b"Z":
            found.append(int(entry.name))
    return found
