"""The talk with the wrapper on one channel."""

import asyncio
from collections import deque
from typing import Self
from uuid import uuid4

from workers.executor.steps.base import Stream
from workers.executor.steps.ssh_exec.channel import Channel, ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.marks import Mark, MarkedStream

Event = tuple[Stream, bytes | Mark]


class Wire:
    """A channel whose other end is one of our shell texts."""

    def __init__(self, channel: Channel) -> None:
        self.nonce = uuid4().hex
        self._channel = channel
        self._streams: dict[Stream, MarkedStream] = {
            "stdout": MarkedStream(self.nonce),
            "stderr": MarkedStream(self.nonce),
        }
        self._events: deque[Event] = deque()

    @classmethod
    async def open(cls, lease: Lease, command: str, *, spare: bool = False) -> Self:
        """Raises `StepFault` when there is no way to the host."""
        return cls(await lease.open(command, spare=spare))

    def send(self, *lines: str, body: bytes = b"") -> None:
        """Give orders. Raises `ChannelClosed`."""
        self._channel.write("".join(f"{line}\n" for line in lines).encode() + body)

    async def next(self) -> Event:
        """The next piece of output or mark. Raises `ChannelClosed`."""
        while not self._events:
            for stream, data in await self._channel.read():
                self._events.extend((stream, found) for found in self._streams[stream].feed(data))
        return self._events.popleft()

    async def answer(self, *, within: float) -> tuple[str, ...]:
        """The words of the next mark on stdout; what a login shell says of its own before is dropped.

        Raises `ChannelClosed` and `TimeoutError`.
        """
        async with asyncio.timeout(within):
            while True:
                stream, found = await self.next()
                if isinstance(found, Mark) and stream == "stdout":
                    return found.words

    async def finish(self, *, within: float) -> None:
        """Wait until the other end has gone. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            try:
                while True:
                    await self.next()
            except ChannelClosed:
                return

    def close(self) -> None:
        self._channel.close()
