"""One channel: the message being received, what its consumers hold, and what becomes of both."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pamqp import frame as codec
from pamqp.base import Frame
from pamqp.commands import Basic

from infra.embedded.amqp import framing
from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.messages import Entry, Message
from infra.embedded.amqp.queues import Queue
from infra.embedded.amqp.refusals import Refusal, not_implemented

if TYPE_CHECKING:
    from infra.embedded.amqp.connection import Connection

MAX_BODY_BYTES = 16 * 1024 * 1024
REFUSED_HEADERS = ("CC", "BCC")


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
        return self.channel.connection.writable and not 0 < self.prefetch <= self.in_hand

    def deliver(self, entry: Entry) -> None:
        self.in_hand += not self.no_ack
        tag = self.channel.hold(entry, self.queue, self, no_ack=self.no_ack)
        message = entry.message
        method = Basic.Deliver(self.tag, tag, entry.returns > 0, message.exchange, message.routing_key)
        self.channel.send_message(method, entry, self.queue)

    def leave(self) -> None:
        """The last one takes an auto-delete queue with it."""
        if self in self.queue.consumers:
            self.queue.consumers.remove(self)
            if self.queue.options.auto_delete and not self.queue.consumers:
                self.channel.broker.delete_queue(self.queue)

    def lose_queue(self) -> None:
        self.channel.consumers.pop(self.tag, None)
        if self.channel.connection.cancels_consumers:
            self.channel.send(Basic.Cancel(self.tag, nowait=True))


@dataclass(slots=True)
class Held:
    """A delivery that was not acknowledged yet; `consumer` is None after Basic.Get."""

    entry: Entry
    queue: Queue
    consumer: Consumer | None


@dataclass(slots=True)
class Incoming:
    """A publish whose content is still arriving; beyond the memory bound it is read, but not kept."""

    method: Basic.Publish
    properties: Basic.Properties | None = None
    properties_size: int = 0
    missing: int = 0
    reserved: int = 0
    refused: bool = False
    body: bytearray = field(default_factory=bytearray)


class Channel:
    """State of one open channel. `methods.py` says what each AMQP method does with it."""

    def __init__(self, number: int, connection: "Connection", broker: Broker) -> None:
        self.number = number
        self.connection = connection
        self.broker = broker
        self.prefetch = 0
        self.last_queue = ""
        self.consumers: dict[str, Consumer] = {}
        self.closing = False
        self.incoming: Incoming | None = None
        self.confirmed: int | None = None
        self._held: dict[int, Held] = {}
        self._last_tag = 0

    def send(self, method: Frame) -> None:
        self.connection.send(codec.marshal(method, self.number))

    def send_message(self, method: Frame, entry: Entry, queue: Queue | None) -> None:
        """A quorum queue says how often the message came back."""
        counted = entry.returns and queue is not None and queue.options.quorum
        header = entry.message.header(**({"x-delivery-count": entry.returns} if counted else {}))
        frame_max, body = self.connection.frame_max, entry.message.body
        self.connection.send(framing.content(method, header, body, channel=self.number, frame_max=frame_max))

    def hold(self, entry: Entry, queue: Queue, consumer: Consumer | None, *, no_ack: bool) -> int:
        """The delivery tag of an entry that is going out, and is held until acknowledged unless `no_ack`."""
        self._last_tag += 1
        if no_ack:
            queue.settle(entry)
        else:
            self._held[self._last_tag] = Held(entry, queue, consumer)
        return self._last_tag

    def release(self, tag: int, *, multiple: bool) -> list[Held]:
        """What an ack, nack or reject speaks about, oldest first. Raises Refusal 406 for an unknown tag."""
        if tag not in self._held and not (multiple and tag == 0):
            raise Refusal(406, f"unknown delivery tag {tag}")
        tags = [held for held in self._held if tag == 0 or held <= tag] if multiple else [tag]
        released = [self._held.pop(each) for each in tags]
        for held in released:
            if held.consumer is not None:
                held.consumer.in_hand -= 1
        return released

    def on_header(self, payload: bytes) -> None:
        incoming = self.incoming
        if incoming is None or incoming.properties is not None:
            raise Refusal(505, "a content header was not expected here")
        header = framing.decode_header(payload)
        if header.class_id != Basic.frame_id:
            raise Refusal(505, f"a content header of class {header.class_id} after basic.publish")
        size = header.body_size
        if size > MAX_BODY_BYTES:
            raise Refusal(406, f"message size {size} is larger than configured max size {MAX_BODY_BYTES}")
        self._check(header.properties)
        incoming.properties, incoming.properties_size = header.properties, len(payload)
        incoming.missing = size
        incoming.refused = not self.broker.fits(size)
        incoming.reserved = 0 if incoming.refused else size
        self.broker.held_bytes += incoming.reserved
        self._publish_if_complete(incoming)

    def _check(self, properties: Basic.Properties) -> None:
        if properties.expiration:
            raise not_implemented("per-message TTL (property expiration)")
        for name in REFUSED_HEADERS:
            if name in (properties.headers or {}):
                raise not_implemented(f"sender-selected distribution (header {name})")
        if properties.user_id and properties.user_id != self.connection.username:
            raise Refusal(406, f"user_id property set to '{properties.user_id}' by another user")

    def on_body(self, payload: bytes) -> None:
        incoming = self.incoming
        if incoming is None or incoming.properties is None:
            raise Refusal(505, "a content body without a content header")
        if len(payload) > incoming.missing:
            raise Refusal(501, f"content body of {len(payload)} bytes where {incoming.missing} were due")
        incoming.missing -= len(payload)
        if not incoming.refused:
            incoming.body += payload
        self._publish_if_complete(incoming)

    def _publish_if_complete(self, incoming: Incoming) -> None:
        """Route the message. A confirming publisher hears in this order: Basic.Return, confirm."""
        if incoming.missing or incoming.properties is None:
            return
        self._drop_incoming()
        exchange, key = incoming.method.exchange, incoming.method.routing_key
        queues = self.broker.route(exchange, key)
        message = Message(exchange, key, incoming.properties, bytes(incoming.body), incoming.properties_size)
        accepted = not incoming.refused and self.broker.fits(len(queues) * message.size)
        if not accepted and self.confirmed is None:
            raise Refusal(506, f"{self.broker.memory_limit} bytes of messages are held, which is the limit")
        if accepted:
            accepted = all([queue.append(message) for queue in queues])  # noqa: C419 - every queue is asked
        if incoming.method.mandatory and not queues:
            self.send_message(Basic.Return(312, "NO_ROUTE", exchange, key), Entry(0, message), None)
        if self.confirmed is not None:
            self.confirmed += 1
            self.send((Basic.Ack if accepted else Basic.Nack)(self.confirmed))

    def _drop_incoming(self) -> None:
        if self.incoming is not None:
            self.broker.held_bytes -= self.incoming.reserved
            self.incoming = None

    def close(self) -> None:
        """Consumers leave first, then all they held goes back in order, marked as redelivered."""
        self.closing = True
        self._drop_incoming()
        consumers, self.consumers = list(self.consumers.values()), {}
        for consumer in consumers:
            consumer.leave()
        held = self.release(0, multiple=True)
        for each in held:
            each.queue.give_back(each.entry)
        pump(held)


def pump(released: list[Held]) -> None:
    """Consumers have free hands again, or queues have their messages back."""
    for queue in {held.queue: None for held in released}:
        queue.pump()
