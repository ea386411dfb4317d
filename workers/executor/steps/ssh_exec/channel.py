"""One session channel: bytes both ways with back pressure, read in pieces as big as have come."""

import asyncio
from collections.abc import Callable

import asyncssh

from workers.executor.steps.base import Stream

HIGH_WATER = 256 * 1024
"""Bytes waiting for a slow reader before no more are taken from the connection."""
WINDOW = 1024 * 1024
"""Bytes the target may send before it is told that some were taken."""
UNREAD_BYTES = HIGH_WATER + WINDOW
"""At most held for a slow reader."""


class ChannelClosed(Exception):
    """The channel has ended; everything it brought has been read. `reason` is empty after an orderly end."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason or "the channel was closed")
        self.reason = reason


class Channel(asyncssh.SSHClientSession[bytes]):
    """Both output streams of one remote command."""

    def __init__(self, on_closed: Callable[[], None]) -> None:
        self._on_closed = on_closed
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None
        self._waiting: dict[Stream, list[bytes]] = {"stdout": [], "stderr": []}
        self._size = 0
        self._paused = False
        self._changed = asyncio.Event()
        self._closed: ChannelClosed | None = None

    def connection_made(self, chan: "asyncssh.SSHClientChannel[bytes]") -> None:
        self._chan = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        stream: Stream = "stderr" if datatype == asyncssh.EXTENDED_DATA_STDERR else "stdout"
        self._waiting[stream].append(data)
        self._size += len(data)
        if self._size > HIGH_WATER and not self._paused and self._chan is not None:
            self._paused = True
            self._chan.pause_reading()
        self._changed.set()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = ChannelClosed(str(exc) if exc else "")
        self._changed.set()
        self._on_closed()

    @property
    def silent(self) -> bool:
        """It is open, and everything it brought has been read."""
        return self._closed is None and not self._size

    async def read(self) -> list[tuple[Stream, bytes]]:
        """Wait for output and take all of it, stderr first. Raises `ChannelClosed` when no more can come."""
        while not self._size:
            if self._closed is not None:
                raise self._closed
            self._changed.clear()
            await self._changed.wait()
        taken: list[tuple[Stream, bytes]] = [
            (stream, b"".join(self._waiting[stream]))
            for stream in ("stderr", "stdout")
            if self._waiting[stream]
        ]
        self._waiting = {"stdout": [], "stderr": []}
        self._size = 0
        if self._paused and self._chan is not None:
            self._paused = False
            self._chan.resume_reading()
        return taken

    def write(self, data: bytes) -> None:
        """Send to the command's stdin. Raises `ChannelClosed` when it has gone."""
        if self._closed is not None or self._chan is None:
            raise self._closed or ChannelClosed("not open")
        try:
            self._chan.write(data)
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def close(self) -> None:
        """End the channel from our side; what has not been read is dropped."""
        if self._chan is not None:
            self._chan.close()

    async def wait_closed(self) -> None:
        if self._chan is not None:
            await self._chan.wait_closed()
