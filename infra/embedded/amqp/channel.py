"""One channel: the message being received, what its consumers hold, and what becomes of both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pamqp.base import Frame
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.framing import Refusal, not_implemented
from infra.embedded.amqp.queues import Entry, Message, Queue

if TYPE_CHECKING:
    from infra.embedded.amqp.connection import Connection

MAX_BODY_BYTES = 1024 * 1024
OVERHEAD_BYTES = 1_000
HEADER_FACTOR = 3
"""What a message costs in Python objects: its body, this much, and its header frame this many times."""


@dataclass(slots=True, eq=False)
class Consumer:
    """A subscription; `prefetch` 0 is no limit."""

    tag: str
    channel: "Channel"
    queue: Queue
    prefetch: int
    in_hand: int = 0

    @property
    def ready(self) -> bool:
        return self.channel.connection.writable and not 0 < self.prefetch <= self.in_hand

    def lose_queue(self) -> None:
        self.channel.consumers.pop(self.tag, None)
        self.channel.send(Basic.Cancel(self.tag, nowait=True))


class Channel:
    """State of one open channel. `methods.py` says what each AMQP method does with it."""

    def __init__(self, number: int, connection: "Connection", broker: Broker) -> None:
        self.number = number
        self.connection = connection
        self.broker = broker
        self.prefetch = 0
        self.confirmed: int | None = None
        self.consumers: dict[str, Consumer] = {}
        self.closing = False
        self.publishing: Basic.Publish | None = None
        self._header: ContentHeader | None = None
        self._size = 0
        self._body = b""
        self._held: dict[int, tuple[Consumer, Entry]] = {}
        self._last_tag = 0

    def send(self, method: Frame, message: Message | None = None) -> None:
        content = message.frames(self.connection.frame_max) if message is not None else ()
        self.connection.send(self.number, method, *content)

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        """Hold it until it is released. A quorum queue says how often the message came back."""
        self._last_tag += 1
        self._held[self._last_tag] = (consumer, entry)
        consumer.in_hand += 1
        message, again = entry.message, entry.returns > 0
        method = Basic.Deliver(consumer.tag, self._last_tag, again, message.exchange, message.routing_key)
        if again and consumer.queue.quorum:
            message = message.with_headers({"x-delivery-count": entry.returns})
        self.send(method, message)

    def release(self, tag: int, outcome: Literal["acknowledged", "rejected", "requeued"]) -> None:
        """Raises Refusal 406 for an unknown tag."""
        if tag not in self._held:
            raise Refusal(406, f"unknown delivery tag {tag}")
        consumer, entry = self._held.pop(tag)
        consumer.in_hand -= 1
        if outcome == "acknowledged":
            consumer.queue.settle(entry)
        elif outcome == "rejected":
            self.broker.bury(consumer.queue, entry, "rejected")
        else:
            consumer.queue.give_back(entry)
        consumer.queue.pump()

    def consume(self, queue: Queue, tag: str) -> None:
        if tag in self.consumers:
            raise Refusal(530, f"attempt to reuse consumer tag '{tag}'")
        self.consumers[tag] = Consumer(tag, self, queue, self.prefetch)
        self.send(Basic.ConsumeOk(tag))
        queue.consumers.append(self.consumers[tag])
        queue.pump()

    def cancel(self, tag: str) -> None:
        """The last consumer takes an auto-delete queue with it."""
        consumer = self.consumers.pop(tag, None)
        if consumer is not None:
            queue = consumer.queue
            queue.consumers.remove(consumer)
            if queue.options["auto_delete"] and not queue.consumers:
                self.broker.delete_queue(queue)

    def on_header(self, header: ContentHeader, frame_bytes: int) -> None:
        if self.publishing is None or self._header is not None:
            raise Refusal(505, "a content header was not expected here")
        if header.body_size > MAX_BODY_BYTES:
            raise Refusal(406, f"message size {header.body_size} is larger than max size {MAX_BODY_BYTES}")
        properties = header.properties
        refused = [name for name in ("expiration", "user_id") if getattr(properties, name)]
        refused += [name for name in ("CC", "BCC", "x-death") if name in (properties.headers or {})]
        if refused:
            raise not_implemented(f"messages with {refused[0]}")
        self._header, self._body = header, b""
        self._size = header.body_size + OVERHEAD_BYTES + HEADER_FACTOR * frame_bytes
        self._publish_if_complete()

    def on_body(self, piece: bytes) -> None:
        if self._header is None or len(self._body) + len(piece) > self._header.body_size:
            raise Refusal(505, "a content body was not expected here, or not that much of it")
        self._body += piece
        self._publish_if_complete()

    def _publish_if_complete(self) -> None:
        """Route the message. A confirming publisher hears in this order: Basic.Return, confirm."""
        method, header = self.publishing, self._header
        if method is None or header is None or len(self._body) < header.body_size:
            return
        self.publishing = self._header = None
        message = Message(method.exchange, method.routing_key, header.properties, self._body, self._size)
        queues = self.broker.route(message.exchange, message.routing_key)
        accepted = self.broker.held_bytes + len(queues) * message.size <= self.broker.memory_limit
        if not accepted and self.confirmed is None:
            raise Refusal(506, f"{self.broker.memory_limit} bytes of messages are held, which is the limit")
        for queue in queues if accepted else ():
            queue.append(message)
        if method.mandatory and not queues:
            self.send(Basic.Return(312, "NO_ROUTE", message.exchange, message.routing_key), message)
        if self.confirmed is not None:
            self.confirmed += 1
            self.send((Basic.Ack if accepted else Basic.Nack)(self.confirmed))

    def close(self) -> None:
        """Consumers leave first, then all they held goes back, marked as redelivered."""
        self.closing = True
        for tag in list(self.consumers):
            self.cancel(tag)
        held, self._held = list(self._held.values()), {}
        for consumer, entry in held:
            consumer.queue.give_back(entry)
        for queue in {consumer.queue for consumer, _ in held}:
            queue.pump()
