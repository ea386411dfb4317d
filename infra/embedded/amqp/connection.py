"""One client connection: handshake, heartbeats, frames to channels, and an orderly end whatever happens."""

import asyncio
import hmac
from typing import cast

from pamqp import frame as codec
from pamqp.base import Frame
from pamqp.commands import Channel as ChannelMethods
from pamqp.commands import Connection as Methods
from pamqp.common import FieldTable
from pamqp.constants import FRAME_BODY, FRAME_HEADER, FRAME_HEARTBEAT, FRAME_METHOD
from pamqp.heartbeat import Heartbeat

from infra.embedded.amqp import framing, methods
from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.channel import Channel
from infra.embedded.amqp.refusals import Refusal, not_implemented

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
FRAME_MAX = 131_072
FRAME_MAX_BEFORE_TUNE = 4_096
CHANNEL_MAX = 2_047
HEARTBEAT_SECONDS = 60
HANDSHAKE_SECONDS = 10.0
CLOSE_SECONDS = 3.0
FLUSH_BYTES = 64 * 1024
HIGH_WATER_BYTES = 256 * 1024
CAPABILITIES = (
    "publisher_confirms",
    "basic.nack",
    "consumer_cancel_notify",
    "authentication_failure_close",
    "per_consumer_qos",
)
SERVER_PROPERTIES: FieldTable = {
    "product": "OpsConductor embedded AMQP",
    "capabilities": dict.fromkeys(CAPABILITIES, True),
}


class Connection(asyncio.Protocol):
    """Runs in callbacks, without a task of its own, so nothing is left behind when the socket goes.

    Back-pressure: while the peer does not read (the write buffer is above its high-water mark) it gets no
    deliveries and what it sends is not read either; TCP holds it back.
    """

    def __init__(self, broker: Broker, username: str, password: str, open_now: set["Connection"]) -> None:
        self.username = username
        self.frame_max = FRAME_MAX
        self.cancels_consumers = False
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._broker = broker
        self._secret = f"{username}\x00{password}".encode()
        self._open_now = open_now
        self._frames = framing.FrameBuffer(FRAME_MAX_BEFORE_TUNE)
        self._channels: dict[int, Channel] = {}
        self._expected: type[Frame] | None = None
        self._greeted = self._closing = self._paused = False
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._heartbeat = 0
        self._last_heard = self._loop.time()
        self._timer = self._loop.call_later(HANDSHAKE_SECONDS, self.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self._open_now.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_now.discard(self)
        self._leave()
        self.lost.set_result(None)

    @property
    def writable(self) -> bool:
        return not (self._paused or self._closing)

    def pause_writing(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        self._work()
        consumers = [each for channel in self._channels.values() for each in channel.consumers.values()]
        for queue in {consumer.queue: None for consumer in consumers}:
            queue.pump()

    def send(self, frame: bytes) -> None:
        """Written together with what else this turn of the loop sends, or at once when that is a lot."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(frame)
        self._out_bytes += len(frame)
        if self._out_bytes >= FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._out and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()
        self._out_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._last_heard = self._loop.time()
        self._frames.feed(data)
        self._work()

    def _work(self) -> None:
        """Handle every complete frame, unless the peer has to read first."""
        method: Frame | None = None
        try:
            while (self._greeted or self._greet()) and not self._paused:
                if (found := self._frames.next_frame()) is None:
                    return
                kind, number, payload = found
                if kind != FRAME_HEARTBEAT:
                    method = framing.decode_method(payload) if kind == FRAME_METHOD else None
                    self._on_frame(kind, number, payload, method)
        except Refusal as refusal:
            if self._closing:
                self.abort()
            else:
                self.close(refusal.code, refusal.text, method)

    def _greet(self) -> bool:
        header = self._frames.take(len(PROTOCOL_HEADER))
        if header == PROTOCOL_HEADER:
            self._greeted = True
            self._ask(Methods.Start(server_properties=SERVER_PROPERTIES), Methods.StartOk)
        elif header is not None:
            self._transport.write(PROTOCOL_HEADER)
            self._transport.close()
        return self._greeted

    def _ask(self, question: Frame, reply: type[Frame]) -> None:
        self.send(codec.marshal(question, 0))
        self._expected = reply

    def _on_frame(self, kind: int, number: int, payload: bytes, method: Frame | None) -> None:
        if self._closing:
            if isinstance(method, Methods.Close | Methods.CloseOk):
                self._end()
            return
        if number == 0:
            self._on_connection_method(method)
            return
        channel = self._channels.get(number)
        if channel is None or self._expected is not None:
            self._open_channel(number, method)
            return
        try:
            if method is not None:
                self._on_channel_method(channel, method)
            elif not channel.closing:
                {FRAME_HEADER: channel.on_header, FRAME_BODY: channel.on_body}[kind](payload)
        except Refusal as refusal:
            if refusal.closes_connection:
                raise
            channel.close()
            channel.send(ChannelMethods.Close(refusal.code, refusal.text, *_ids(method)))

    def _open_channel(self, number: int, method: Frame | None) -> None:
        if self._expected is not None:
            raise Refusal(503, "a channel was used before connection.open")
        if not isinstance(method, ChannelMethods.Open) or number > CHANNEL_MAX:
            raise Refusal(504, f"expected 'channel.open' on a channel up to {CHANNEL_MAX}, on {number}")
        self._channels[number] = Channel(number, self, self._broker)
        self._channels[number].send(ChannelMethods.OpenOk())

    def _on_channel_method(self, channel: Channel, method: Frame) -> None:
        if isinstance(method, ChannelMethods.CloseOk):
            self._channels.pop(channel.number)
        elif isinstance(method, ChannelMethods.Close):
            channel.close()
            self._channels.pop(channel.number)
            channel.send(ChannelMethods.CloseOk())
        elif channel.closing:
            return
        elif isinstance(method, ChannelMethods.Open):
            raise Refusal(504, f"channel {channel.number} is open already")
        elif channel.incoming is not None:
            raise Refusal(505, f"expected the content of a publish, got {method.name}")
        else:
            methods.answer(channel, method)

    def _on_connection_method(self, method: Frame | None) -> None:
        if isinstance(method, Methods.Close):
            self.send(codec.marshal(Methods.CloseOk(), 0))
            self._end()
        elif method is None:
            raise Refusal(505, "content on channel 0")
        elif self._expected is None:
            raise not_implemented(f"{method.name} on an open connection")
        elif type(method) is not self._expected:
            raise Refusal(503, f"expected {self._expected.name}, got {method.name}")
        elif isinstance(method, Methods.StartOk):
            self._log_in(method)
        elif isinstance(method, Methods.TuneOk):
            self._tune(method)
        elif isinstance(method, Methods.Open):
            self._open(method)

    def _log_in(self, method: Methods.StartOk) -> None:
        """SASL PLAIN (RFC 4616): authzid NUL authcid NUL password."""
        able = (method.client_properties or {}).get("capabilities")
        able = able if isinstance(able, dict) else {}
        self.cancels_consumers = bool(able.get("consumer_cancel_notify"))
        if method.mechanism != "PLAIN":
            raise Refusal(503, f"unknown authentication mechanism '{method.mechanism}'; PLAIN is offered")
        response: str | bytes = method.response
        given = response.encode() if isinstance(response, str) else response
        if hmac.compare_digest(given.partition(b"\x00")[2], self._secret):
            self._ask(Methods.Tune(CHANNEL_MAX, FRAME_MAX, HEARTBEAT_SECONDS), Methods.TuneOk)
        elif able.get("authentication_failure_close"):
            raise Refusal(403, "Login was refused using authentication mechanism PLAIN.")
        else:
            self._transport.close()

    def _tune(self, method: Methods.TuneOk) -> None:
        wanted = method.frame_max or FRAME_MAX
        if not FRAME_MAX_BEFORE_TUNE <= wanted <= FRAME_MAX:
            raise Refusal(530, f"negotiated frame_max = {wanted} is not within 4096 and {FRAME_MAX}")
        self.frame_max = self._frames.frame_max = wanted
        self._heartbeat = method.heartbeat
        self._expected = Methods.Open

    def _open(self, method: Methods.Open) -> None:
        if method.virtual_host != "/":
            raise Refusal(530, f"vhost {method.virtual_host} not found")
        self._expected = None
        self.send(codec.marshal(Methods.OpenOk(), 0))
        self._timer.cancel()
        if self._heartbeat:
            self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)

    def _beat(self) -> None:
        """Two silent intervals mean the peer is gone (AMQP 0-9-1 section 4.2.7)."""
        if self._loop.time() - self._last_heard > 2 * self._heartbeat:
            self.abort()
            return
        self.send(Heartbeat.marshal())
        self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)

    def close(self, code: int, text: str, method: Frame | None = None) -> None:
        """Say why, give back what the peer held, and wait a little for its Close-Ok."""
        self.send(codec.marshal(Methods.Close(code, text, *_ids(method)), 0))
        self._leave()
        self._timer = self._loop.call_later(CLOSE_SECONDS, self.abort)

    def _leave(self) -> None:
        """Nothing is received or delivered any more; what it held and what was its own goes."""
        self._closing = True
        self._timer.cancel()
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.close()
        for queue in [each for each in self._broker.queues.values() if each.owner is self]:
            self._broker.delete_queue(queue)

    def _end(self) -> None:
        self._closing = True
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


def _ids(method: Frame | None) -> tuple[int, int]:
    return (method.index >> 16, method.index & 0xFFFF) if method is not None else (0, 0)
