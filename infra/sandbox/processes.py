"""Processes of a sandbox host: passing bytes through, and finding every one of them again."""

import asyncio
import contextlib
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
    def close(self) -> None: ...


async def pump(source: Source, sink: Sink) -> None:
    """Copy until the source ends, then close the sink; a sink that went away ends the copying too."""
    try:
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    except (OSError, asyncio.IncompleteReadError):
        # The other side has gone: what is left in the source has no reader any more.
        pass
    with contextlib.suppress(OSError):
        sink.close()


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
