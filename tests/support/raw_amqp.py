"""An AMQP client without manners: speaks single frames, well-formed or not."""

import asyncio
import contextlib
import struct
from typing import TypeVar

from pamqp import frame as codec
from pamqp.base import Frame
from pamqp.commands import Basic, Channel, Connection
from pamqp.common import FieldTable
from pamqp.header import ContentHeader
from yarl import URL

from tests.support.eventually import PATIENCE

T = TypeVar("T", bound=Frame)


class RawAmqp:
    """One socket. `connect` does the handshake; everything else is up to the test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, url: str) -> "RawAmqp":
        parsed = URL(url)
        return cls(*await asyncio.open_connection(parsed.host, parsed.port or 5672))

    @classmethod
    async def connect(cls, url: str, *, heartbeat: int = 0) -> "RawAmqp":
        raw = await cls.tuned(url, heartbeat=heartbeat)
        raw.method(0, Connection.Open())
        await raw.expect(Connection.OpenOk)
        return raw

    @classmethod
    async def tuned(cls, url: str, *, heartbeat: int = 0) -> "RawAmqp":
        """Logged in, but without a virtual host yet."""
        raw = await cls.dial(url)
        parsed = URL(url)
        raw.write(b"AMQP\x00\x00\x09\x01")
        await raw.expect(Connection.Start)
        capabilities: FieldTable = {"authentication_failure_close": True, "consumer_cancel_notify": True}
        raw.method(
            0,
            Connection.StartOk(
                client_properties={"capabilities": capabilities},
                response=f"\x00{parsed.user}\x00{parsed.password}",
            ),
        )
        await raw.expect(Connection.Tune)
        raw.method(0, Connection.TuneOk(channel_max=100, frame_max=131072, heartbeat=heartbeat))
        return raw

    @classmethod
    async def with_channel(cls, url: str) -> "RawAmqp":
        raw = await cls.connect(url)
        raw.method(1, Channel.Open())
        await raw.expect(Channel.OpenOk)
        return raw

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def method(self, channel: int, method: Frame) -> None:
        self.write(codec.marshal(method, channel))

    def frame(self, kind: int, channel: int, payload: bytes, *, end: int = 0xCE) -> None:
        self.write(struct.pack(">BHI", kind, channel, len(payload)) + payload + bytes([end]))

    def publish_header(self, size: int, *, key: str = "nobody") -> None:
        self.method(1, Basic.Publish(routing_key=key))
        self.write(codec.marshal(ContentHeader(body_size=size), 1))

    async def next(self) -> tuple[int, codec.FrameTypes]:
        """(channel, frame). Raises asyncio.IncompleteReadError when the server closed the socket."""
        async with asyncio.timeout(PATIENCE):
            prefix = await self.reader.readexactly(7)
            size = struct.unpack(">I", prefix[3:])[0]
            rest = await self.reader.readexactly(size + 1)
        _, channel, decoded = codec.unmarshal(prefix + rest)
        return channel, decoded

    async def channel_close(self) -> Channel.Close:
        return await self.expect(Channel.Close)

    async def connection_close(self) -> Connection.Close:
        return await self.expect(Connection.Close)

    async def expect(self, kind: type[T]) -> T:
        """The next method frame, which has to be of that kind; heartbeats are passed over."""
        while True:
            _, decoded = await self.next()
            if isinstance(decoded, kind):
                return decoded
            assert decoded.name == "Heartbeat", f"expected {kind.name}, got {decoded.name} {vars_of(decoded)}"

    async def closed(self) -> None:
        """Wait until the server has closed the socket."""
        async with asyncio.timeout(PATIENCE):
            while await self.reader.read(65536):
                pass

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):  # the server may be faster
            await self.writer.wait_closed()


def vars_of(decoded: object) -> dict[str, object]:
    return {name: getattr(decoded, name, None) for name in getattr(decoded, "__slots__", ())}
