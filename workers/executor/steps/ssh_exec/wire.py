"""The talk with the wrapper on one channel."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self
from uuid import uuid4

from workers.executor.steps.base import Stream
from workers.executor.steps.ssh_exec.channel import Channel, ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.marks import Mark, MarkedStream

Event = tuple[Stream, bytes | Mark]


class Wire:
    """A channel whose other end is one of our shell texts."""

    def __init__(self, channel: Channel, park: Callable[[Channel], None] | None = None) -> None:
        self._park = park
        self._sent_at = asyncio.get_running_loop().time()
        self.round_trip = 0.0
        """Seconds from the last order to the mark that answered it, as far as somebody waited for it."""
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

    @classmethod
    async def reuse(cls, lease: Lease, command: str) -> Self:
        """The same for a text that takes one attempt after the other; see `park`. Raises `StepFault`."""
        channel = lease.take_parked(command) or await lease.open(command)
        return cls(channel, lambda channel: lease.park(channel, command))

    def send(self, *lines: str, body: bytes = b"") -> None:
        """Give orders. Raises `ChannelClosed`."""
        self._sent_at = asyncio.get_running_loop().time()
        self._channel.write("".join(f"{line}\n" for line in lines).encode() + body)

    async def next(self) -> Event:
        """The next piece of output or mark. Raises `ChannelClosed`."""
        while not self._events:
            for stream, data in await self._channel.read():
                self._events.extend((stream, found) for found in self._streams[stream].feed(data))
        return self._events.popleft()

    async def answer(self, *, within: float) -> tuple[str, ...]:
        """The words of the next mark. Raises `ChannelClosed` and `TimeoutError`."""
        return (await self.mark(within=within)).words

    async def mark(self, *, within: float) -> Mark:
        """The next mark on stdout; what a login shell says of its own before is dropped.

        Raises `ChannelClosed` and `TimeoutError`.
        """
        async with asyncio.timeout(within):
            while True:
                stream, found = await self.next()
                if isinstance(found, Mark) and stream == "stdout":
                    self.round_trip = asyncio.get_running_loop().time() - self._sent_at
                    return found

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

    def park(self) -> None:
        """Leave the other end waiting for its next attempt, where it may; this wire is of no use any more."""
        if self._park is None:
            self.close()
        else:
            self._park(self._channel)

    @property
    def parks(self) -> bool:
        """`park` may keep the other end."""
        return self._park is not None
