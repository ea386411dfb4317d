"""One client connection: handshake, heartbeats, frames to channels, and an orderly end whatever happens."""

import asyncio
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

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
    "capabilities": {capability: True for capability in CAPABILITIES},
}


@dataclass(frozen=True, slots=True)
class Login:
    """The one user there is."""

    username: str
    password: str

    def accepts(self, response: str | bytes) -> bool:
        """SASL PLAIN (RFC 4616): authzid NUL authcid NUL password. Compared in constant time."""
        given = response.encode() if isinstance(response, str) else response
        _, _, given = given.partition(b"\x00")
        return hmac.compare_digest(given, f"{self.username}\x00{self.password}".encode())


class Connection(asyncio.Protocol):
    """Runs in callbacks, without a task of its own, so nothing is left behind when the socket goes.

    Back-pressure: while the peer does not read (the write buffer is above its high-water mark) it gets no
    deliveries and what it sends is not read either; TCP holds it back.
    """

    def __init__(self, broker: Broker, login: Login, open_connections: set["Connection"]) -> None:
        self.username = login.username
        self.frame_max = FRAME_MAX
        self.cancels_consumers = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._broker = broker
        self._login = login
        self._open_connections = open_connections
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
        self._open_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._timer.cancel()
        self._open_connections.discard(self)
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
        self._transport.resume_reading()
        self._work()
        waiting = {each.queue: None for ch in self._channels.values() for each in ch.consumers.values()}
        for queue in waiting:
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
        if not self._greeted and not self._greet():
            return
        try:
            while not self._paused and (found := self._frames.next_frame()) is not None:
                kind, number, payload = found
                if kind != FRAME_HEARTBEAT:
                    self._on_frame(kind, number, payload)
        except Refusal as refusal:
            if self._closing:
                self.abort()
            else:
                self.close(refusal.code, refusal.text)

    def _greet(self) -> bool:
        header = self._frames.take(len(PROTOCOL_HEADER))
        if header is None:
            return False
        if header != PROTOCOL_HEADER:
            self._transport.write(PROTOCOL_HEADER)
            self._transport.close()
            return False
        self._greeted = True
        self._expect(Methods.Start(server_properties=SERVER_PROPERTIES), Methods.StartOk)
        return True

    def _expect(self, question: Frame, reply: type[Frame]) -> None:
        self.send(framing.method_frame(question, 0))
        self._expected = reply

    def _on_frame(self, kind: int, number: int, payload: bytes) -> None:
        method = framing.decode_method(payload) if kind == FRAME_METHOD else None
        if self._closing:
            if isinstance(method, Methods.Close | Methods.CloseOk):
                self._end()
            return
        if number == 0:
            self._on_connection_method(method)
            return
        if self._expected is not None:
            raise Refusal(503, "a channel was used before connection.open")
        channel = self._channels.get(number)
        try:
            if method is not None:
                self._on_channel_method(number, channel, method)
            elif channel is None:
                raise Refusal(504, f"content on channel {number}, which is not open")
            elif not channel.closing and kind == FRAME_HEADER:
                channel.on_header(payload)
            elif not channel.closing and kind == FRAME_BODY:
                channel.on_body(payload)
        except Refusal as refusal:
            if refusal.closes_connection or channel is None:
                self._close_for(refusal, method)
            else:
                channel.close()
                class_id, method_id = _ids(method)
                channel.send(ChannelMethods.Close(refusal.code, refusal.text, class_id, method_id))

    def _on_channel_method(self, number: int, channel: Channel | None, method: Frame) -> None:
        if isinstance(method, ChannelMethods.Open):
            if channel is not None or number > CHANNEL_MAX:
                why = f"is above channel_max {CHANNEL_MAX}" if channel is None else "is open already"
                raise Refusal(504, f"channel {number} {why}")
            self._channels[number] = Channel(number, self, self._broker)
            self._channels[number].send(ChannelMethods.OpenOk())
        elif channel is None:
            raise Refusal(504, f"expected 'channel.open' on channel {number}, got {method.name}")
        elif isinstance(method, ChannelMethods.CloseOk):
            self._channels.pop(number)
        elif isinstance(method, ChannelMethods.Close):
            channel.close()
            self._channels.pop(number)
            channel.send(ChannelMethods.CloseOk())
        elif channel.closing:
            return
        elif channel.awaits_content:
            raise Refusal(505, f"expected the content of a publish, got {method.name}")
        else:
            methods.answer(channel, method)

    def _on_connection_method(self, method: Frame | None) -> None:
        if isinstance(method, Methods.Close):
            self._closing = True
            self.send(framing.method_frame(Methods.CloseOk(), 0))
            self._end()
        elif method is None:
            raise Refusal(505, "content on channel 0")
        elif self._expected is None:
            raise not_implemented(f"{method.name} on an open connection")
        elif type(method) is not self._expected:
            raise Refusal(503, f"expected {self._expected.name}, got {method.name}")
        elif isinstance(method, Methods.StartOk):
            self._on_start_ok(method)
        elif isinstance(method, Methods.TuneOk):
            self._on_tune_ok(method)
        elif isinstance(method, Methods.Open):
            self._on_open(method)

    def _on_start_ok(self, method: Methods.StartOk) -> None:
        capabilities = method.client_properties.get("capabilities")
        able = capabilities if isinstance(capabilities, dict) else {}
        self.cancels_consumers = bool(able.get("consumer_cancel_notify"))
        if method.mechanism != "PLAIN":
            raise Refusal(503, f"unknown authentication mechanism '{method.mechanism}'; PLAIN is offered")
        if self._login.accepts(method.response):
            self._expect(Methods.Tune(CHANNEL_MAX, FRAME_MAX, HEARTBEAT_SECONDS), Methods.TuneOk)
        elif able.get("authentication_failure_close"):
            raise Refusal(403, "Login was refused using authentication mechanism PLAIN.")
        else:
            self._transport.close()

    def _on_tune_ok(self, method: Methods.TuneOk) -> None:
        wanted = method.frame_max or FRAME_MAX
        if not FRAME_MAX_BEFORE_TUNE <= wanted <= FRAME_MAX:
            raise Refusal(530, f"negotiated frame_max = {wanted} is not within 4096 and {FRAME_MAX}")
        self.frame_max = self._frames.frame_max = wanted
        self._heartbeat = method.heartbeat
        self._expected = Methods.Open

    def _on_open(self, method: Methods.Open) -> None:
        if method.virtual_host != "/":
            raise Refusal(530, f"vhost {method.virtual_host} not found")
        self._expected = None
        self.send(framing.method_frame(Methods.OpenOk(), 0))
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

    def _close_for(self, refusal: Refusal, method: Frame | None) -> None:
        class_id, method_id = _ids(method)
        self.close(refusal.code, refusal.text, class_id=class_id, method_id=method_id)

    def close(self, code: int, text: str, *, class_id: int = 0, method_id: int = 0) -> None:
        """Say why, give back what the peer held, and wait a little for its Close-Ok."""
        self.send(framing.method_frame(Methods.Close(code, text, class_id, method_id), 0))
        self._closing = True
        self._leave()
        self._timer.cancel()
        self._timer = self._loop.call_later(CLOSE_SECONDS, self.abort)

    def _leave(self) -> None:
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.close()
        self._broker.delete_queues_of(self)

    def _end(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


def _ids(method: Frame | None) -> tuple[int, int]:
    return (method.index >> 16, method.index & 0xFFFF) if method is not None else (0, 0)


if TYPE_CHECKING:
    from infra.embedded.amqp.channel import Wire

    def _is_wire(connection: Connection) -> Wire:
        return connection
