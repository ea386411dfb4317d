"""One client connection: handshake, heartbeats, frames to channels, and an orderly end whatever happens."""

import asyncio
import hmac
from typing import cast

from pamqp import frame as codec
from pamqp.commands import Channel as ChannelMethods
from pamqp.commands import Connection as Methods
from pamqp.common import FieldTable
from pamqp.heartbeat import Heartbeat

from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.channel import Channel
from infra.embedded.amqp.framing import FRAME_MAX, FRAME_MIN, Refusal, next_frame, not_implemented, take
from infra.embedded.amqp.methods import handle

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
CHANNEL_MAX = 2_047
HEARTBEAT_SECONDS = 60
HANDSHAKE_SECONDS = 10.0
CLOSE_SECONDS = 1.0
PRODUCT = "OpsConductor embedded AMQP"
CAPABILITIES = ("publisher_confirms", "basic.nack", "consumer_cancel_notify", "authentication_failure_close")


class Connection(asyncio.Protocol):
    """Runs in callbacks, without a task of its own, so nothing is left behind when the socket goes.

    While the peer does not read it gets no deliveries, and nothing is read from it either.
    """

    def __init__(self, broker: Broker, login: bytes, open_now: set["Connection"]) -> None:
        self.frame_max = FRAME_MIN
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._broker = broker
        self._login = login
        self._open_now = open_now
        self._received = bytearray()
        self._channels: dict[int, Channel] = {}
        self._step = "greet"
        self._closing = False
        self.writable = True
        self._last_heard = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timer = self._loop.call_later(HANDSHAKE_SECONDS, self._transport.abort)
        self._open_now.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._timer.cancel()
        self._open_now.discard(self)
        self.lost.set_result(None)

    def pause_writing(self) -> None:
        self.writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._closing:
            self.writable = True
            self._transport.resume_reading()
            for queue in self._broker.queues.values():
                queue.pump()

    def send(self, channel: int, *frames: codec.FrameTypes) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"".join(codec.marshal(frame, channel) for frame in frames))

    def data_received(self, data: bytes) -> None:
        self._last_heard = self._loop.time()
        self._received += data
        try:
            while (self._step != "greet" or self._greet()) and (found := next_frame(self._received)):
                self._on_frame(*found)
        except Refusal as refusal:
            self.close(refusal.code, refusal.text)

    def _greet(self) -> bool:
        header = take(self._received, len(PROTOCOL_HEADER))
        if header == PROTOCOL_HEADER:
            self._step = "log in"
            about: FieldTable = {"product": PRODUCT, "capabilities": dict.fromkeys(CAPABILITIES, True)}
            self.send(0, Methods.Start(server_properties=about))
        elif header is not None:
            self._transport.write(PROTOCOL_HEADER)
            self._hang_up()
        return header == PROTOCOL_HEADER

    def _on_frame(self, number: int, frame: codec.FrameTypes, size: int) -> None:
        channel = self._channels.get(number)
        if self._closing:
            if isinstance(frame, Methods.Close | Methods.CloseOk):
                self._hang_up()
        elif isinstance(frame, Heartbeat):
            return
        elif number == 0:
            self._on_connection_method(frame)
        elif self._step != "ready" or number > CHANNEL_MAX:
            raise Refusal(504, f"channel {number} cannot be opened, or not yet")
        elif isinstance(frame, ChannelMethods.Open) is (channel is not None):
            raise Refusal(504, f"channel {number} is {'open already' if channel else 'not open'}")
        elif channel is None:
            self._channels[number] = Channel(number, self, self._broker)
            self.send(number, ChannelMethods.OpenOk())
        else:
            self._on_channel_frame(channel, frame, size)

    def _on_channel_frame(self, channel: Channel, frame: codec.FrameTypes, size: int) -> None:
        try:
            if isinstance(frame, ChannelMethods.Close | ChannelMethods.CloseOk):
                channel.close()
                del self._channels[channel.number]
                if isinstance(frame, ChannelMethods.Close):
                    channel.send(ChannelMethods.CloseOk())
            elif not channel.closing:
                handle(channel, frame, size)
        except Refusal as refusal:
            if refusal.closes_connection:
                raise
            channel.close()
            channel.send(ChannelMethods.Close(refusal.code, refusal.text, 0, 0))

    def _on_connection_method(self, method: codec.FrameTypes) -> None:
        match self._step, method:
            case _, Methods.Close():
                self.send(0, Methods.CloseOk())
                self._hang_up()
            case "log in", Methods.StartOk():  # SASL PLAIN (RFC 4616): authzid NUL authcid NUL password
                given = str(method.response).encode().partition(b"\x00")[2]
                if not hmac.compare_digest(given, self._login):
                    raise Refusal(403, "Login was refused using authentication mechanism PLAIN.")
                self._step = "tune"
                self.send(0, Methods.Tune(CHANNEL_MAX, FRAME_MAX, HEARTBEAT_SECONDS))
            case "tune", Methods.TuneOk():
                self._step = "open"
                self.frame_max = min(max(method.frame_max or FRAME_MAX, FRAME_MIN), FRAME_MAX)
                self._timer.cancel()
                if method.heartbeat:
                    self._beat(method.heartbeat)
            case "open", Methods.Open(virtual_host="/"):
                self._step = "ready"
                self.send(0, Methods.OpenOk())
            case "open", Methods.Open():
                raise Refusal(530, f"vhost {method.virtual_host} not found")
            case "ready", _:
                raise not_implemented(f"{method.name} on an open connection")
            case _:
                raise Refusal(503, f"{method.name} was not expected now")

    def _beat(self, seconds: int) -> None:
        """Two silent intervals mean the peer is gone (AMQP 0-9-1 section 4.2.7)."""
        self._timer = self._loop.call_later(seconds / 2, self._beat, seconds)
        if self._loop.time() - self._last_heard > 2 * seconds:
            self._transport.abort()
        elif self._step == "ready":
            self.send(0, Heartbeat())

    def close(self, code: int, text: str) -> None:
        """Say why; the peer has a little time to answer. One that is closing already is cut off."""
        if self._closing:
            self._transport.abort()
        else:
            self.send(0, Methods.Close(code, text, 0, 0))
            self._leave()

    def _hang_up(self) -> None:
        self._leave()
        self._transport.close()

    def _leave(self) -> None:
        """Nothing is received or delivered any more; what it held and what was its own goes."""
        self._closing, self.writable = True, False
        self._timer.cancel()
        self._timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.close()
        for queue in [each for each in self._broker.queues.values() if each.owner is self]:
            self._broker.delete_queue(queue)
