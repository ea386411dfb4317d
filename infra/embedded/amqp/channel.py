"""One channel: the message being received, what its consumers hold, and what becomes of both."""

from dataclasses import dataclass, field
from typing import Protocol

from pamqp.base import Frame
from pamqp.commands import Basic
from pamqp.constants import FRAME_METHOD

from infra.embedded.amqp import framing
from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.messages import Entry, make_message
from infra.embedded.amqp.queues import Queue
from infra.embedded.amqp.refusals import Refusal, not_implemented

MAX_BODY_BYTES = 16 * 1024 * 1024
REFUSED_PROPERTIES = {"expiration": "per-message TTL (property expiration)", "cluster_id": "cluster_id"}
REFUSED_HEADERS = ("CC", "BCC")


class Wire(Protocol):
    """What a channel needs of its connection."""

    frame_max: int
    cancels_consumers: bool
    username: str

    @property
    def writable(self) -> bool: ...
    def send(self, frame: bytes) -> None: ...


@dataclass(slots=True, eq=False)
class Consumer:
    """A subscription; `prefetch` 0 is no limit."""

    tag: str
    channel: "Channel"
    queue: Queue
    prefetch: int
    no_ack: bool
    exclusive: bool
    in_hand: int = 0

    @property
    def ready(self) -> bool:
        free = not self.prefetch or self.in_hand < self.prefetch
        return free and self.channel.wire.writable

    def deliver(self, entry: Entry) -> None:
        tag = self.channel.hand_out(entry, self.queue, None if self.no_ack else self)
        method = framing.deliver_method(
            self.tag, tag, entry.message.exchange, entry.message.routing_key, redelivered=entry.redelivered
        )
        frame = framing.frame(FRAME_METHOD, self.channel.number, method)
        self.channel.send_content(frame, self.queue.header_of(entry), entry.message.body)
        if self.no_ack:
            self.queue.settle(entry)

    def cancelled(self) -> None:
        """Its queue was deleted."""
        self.channel.consumers.pop(self.tag, None)
        if self.channel.wire.cancels_consumers:
            self.channel.send(Basic.Cancel(consumer_tag=self.tag, nowait=True))


@dataclass(slots=True)
class Held:
    """A delivery that was not acknowledged yet; `consumer` is None after Basic.Get."""

    entry: Entry
    queue: Queue
    consumer: Consumer | None


@dataclass(slots=True)
class Incoming:
    """A publish whose content is still arriving. `too_much`: it is read to its end, then refused."""

    method: Basic.Publish
    properties: Basic.Properties | None = None
    missing: int = 0
    reserved: int = 0
    too_much: bool = False
    body: bytearray = field(default_factory=bytearray)


class Channel:
    """State of one open channel. `methods.py` says what each AMQP method does with it."""

    def __init__(self, number: int, wire: Wire, broker: Broker) -> None:
        self.number = number
        self.wire = wire
        self.broker = broker
        self.prefetch = 0
        self.last_queue = ""
        self.consumers: dict[str, Consumer] = {}
        self.closing = False
        self._held: dict[int, Held] = {}
        self._last_delivery = 0
        self._last_publish: int | None = None
        self._incoming: Incoming | None = None

    def send(self, method: Frame) -> None:
        self.wire.send(framing.method_frame(method, self.number))

    def send_content(self, method_frame: bytes, header: bytes, body: bytes) -> None:
        parts = framing.content_frames(self.number, header, body, self.wire.frame_max)
        self.wire.send(b"".join((method_frame, *parts)))

    def hand_out(self, entry: Entry, queue: Queue, consumer: Consumer | None, *, hold: bool = False) -> int:
        """The delivery tag; the entry is held when a consumer (or `hold`) has to acknowledge it."""
        self._last_delivery += 1
        if consumer is not None or hold:
            self._held[self._last_delivery] = Held(entry, queue, consumer)
        if consumer is not None:
            consumer.in_hand += 1
        return self._last_delivery

    def release(self, tag: int, *, multiple: bool) -> list[Held]:
        """What an ack, nack or reject speaks about, oldest first. Raises Refusal 406 for an unknown tag."""
        if tag not in self._held and not (multiple and tag == 0):
            raise Refusal(406, f"unknown delivery tag {tag}")
        tags = [tag]
        if multiple:
            tags = [held for held in self._held if tag == 0 or held <= tag]
        released = [self._held.pop(each) for each in tags]
        for held in released:
            if held.consumer is not None:
                held.consumer.in_hand -= 1
        return released

    def confirm_publishes(self) -> None:
        if self._last_publish is None:
            self._last_publish = 0

    def begin_publish(self, method: Basic.Publish) -> None:
        if method.immediate:
            raise not_implemented("immediate=true")
        self._incoming = Incoming(method)

    @property
    def awaits_content(self) -> bool:
        return self._incoming is not None

    def on_header(self, payload: bytes) -> None:
        incoming = self._incoming
        if incoming is None or incoming.properties is not None:
            raise Refusal(505, "a content header was not expected here")
        header = framing.decode_header(payload)
        if header.class_id != Basic.frame_id:
            raise Refusal(505, f"a content header of class {header.class_id} after basic.publish")
        if header.body_size > MAX_BODY_BYTES:
            limit = f"larger than configured max size {MAX_BODY_BYTES}"
            raise Refusal(406, f"message size {header.body_size} is {limit}")
        self._check_properties(header.properties)
        incoming.properties, incoming.missing = header.properties, header.body_size
        incoming.too_much = not self.broker.memory.fits(header.body_size)
        if not incoming.too_much:
            incoming.reserved = header.body_size
            self.broker.memory.held += header.body_size
        if not incoming.missing:
            self._publish(incoming, incoming.properties)

    def _check_properties(self, properties: Basic.Properties) -> None:
        for name, thing in REFUSED_PROPERTIES.items():
            if getattr(properties, name):
                raise not_implemented(thing)
        for name in REFUSED_HEADERS:
            if name in (properties.headers or {}):
                raise not_implemented(f"sender-selected distribution (header {name})")
        if properties.user_id and properties.user_id != self.wire.username:
            why = f"user_id property set to '{properties.user_id}'"
            raise Refusal(406, f"{why} but authenticated user was '{self.wire.username}'")

    def on_body(self, payload: bytes) -> None:
        incoming = self._incoming
        if incoming is None or incoming.properties is None:
            raise Refusal(505, "a content body without a content header")
        if len(payload) > incoming.missing:
            raise Refusal(501, f"content body of {len(payload)} bytes where {incoming.missing} were due")
        incoming.missing -= len(payload)
        if not incoming.too_much:
            incoming.body += payload
        if not incoming.missing:
            self._publish(incoming, incoming.properties)

    def _publish(self, incoming: Incoming, properties: Basic.Properties) -> None:
        """Route a complete message. Order for a confirming publisher: Basic.Return, then the confirm."""
        self._drop_incoming()
        method = incoming.method
        queues = self.broker.route(method.exchange, method.routing_key)
        message = make_message(method.exchange, method.routing_key, properties, bytes(incoming.body))
        if incoming.too_much or not self.broker.memory.fits(len(queues) * message.size):
            accepted = False
            if self._last_publish is None:
                raise Refusal(506, f"{self.broker.memory.limit} bytes of messages are held")
        else:
            taken = [queue.append(message) for queue in queues]
            accepted = all(taken)
        if method.mandatory and not queues:
            returned = Basic.Return(312, "NO_ROUTE", method.exchange, method.routing_key)
            self.send_content(framing.method_frame(returned, self.number), message.header, message.body)
        if self._last_publish is not None:
            self._last_publish += 1
            confirm = Basic.Ack if accepted else Basic.Nack
            self.send(confirm(self._last_publish))

    def _drop_incoming(self) -> None:
        if self._incoming is not None:
            self.broker.memory.held -= self._incoming.reserved
            self._incoming = None

    def close(self) -> None:
        """Consumers leave first, then all they held goes back in order, marked as redelivered."""
        self.closing = True
        self._drop_incoming()
        consumers, self.consumers = list(self.consumers.values()), {}
        for consumer in consumers:
            self.broker.leave(consumer.queue, consumer)
        held, self._held = list(self._held.values()), {}
        for each in held:
            each.queue.give_back(each.entry)
        for queue in {each.queue: None for each in held}:
            queue.pump()
