"""One queue: how it was declared, its messages in order, its consumers and its delivery limit."""

import copy
import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pamqp import body, commands, frame, header

from infra import clock
from infra.embedded.amqp.framing import FRAME_OVERHEAD, Refusal, not_implemented

if TYPE_CHECKING:
    from infra.embedded.amqp.broker import Broker
    from infra.embedded.amqp.channel import Consumer

CHOICES = {
    "x-queue-type": ("classic", "quorum"),
    "x-dead-letter-strategy": ("at-least-once",),
    "x-overflow": ("reject-publish",),
    "x-delivery-limit": range(1_000),
}
TEXTS = ("x-dead-letter-exchange", "x-dead-letter-routing-key")


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """Immutable: one message may stand in many queues. `size` is what it counts against the memory bound."""

    exchange: str
    routing_key: str
    properties: commands.Basic.Properties
    body: bytes
    size: int

    def frames(self, frame_max: int) -> Iterator[frame.FrameTypes]:
        """One header and as many bodies as `frame_max` asks for."""
        yield header.ContentHeader(body_size=len(self.body), properties=self.properties)
        step = frame_max - FRAME_OVERHEAD
        for start in range(0, len(self.body), step):
            yield body.ContentBody(self.body[start : start + step])

    def with_headers(self, extra: dict[str, Any]) -> "Message":
        properties = copy.copy(self.properties)
        properties.headers = {**(properties.headers or {}), **extra}
        return replace(self, properties=properties)

    def buried(self, queue: "Queue", reason: str) -> "Message":
        """The message as it goes to the dead-letter exchange, with `x-death` as RabbitMQ writes it."""
        headers: dict[str, Any] = self.properties.headers or {}
        place = {"queue": queue.name, "reason": reason, "exchange": self.exchange}
        death = place | {"count": 1, "time": clock.now(), "routing-keys": [self.routing_key]}
        first = {f"x-first-death-{name}": value for name, value in place.items()}
        history = first | headers | {"x-death": [death, *headers.get("x-death", [])]}
        exchange = queue.options["x-dead-letter-exchange"]
        key = queue.options.get("x-dead-letter-routing-key", self.routing_key)
        return replace(self.with_headers(history), exchange=exchange, routing_key=key)


@dataclass(slots=True)
class Entry:
    """A message in one queue; `position` never changes, so what is given back finds its old place."""

    position: int
    message: Message
    returns: int = 0


def options_of(method: commands.Queue.Declare) -> dict[str, Any]:
    """Everything a queue is declared with, by name. Raises Refusal 540 or, where options contradict, 406."""
    arguments: dict[str, Any] = {"x-queue-type": "classic"} | (method.arguments or {})
    for name, value in arguments.items():
        if not (isinstance(value, str) if name in TEXTS else value in CHOICES.get(name, ())):
            raise not_implemented(f"{name}={value!r} in {method.name}")
    quorum = arguments["x-queue-type"] == "quorum"
    if quorum and (method.exclusive or method.auto_delete or not method.durable):
        raise Refusal(406, "quorum queues are durable, not exclusive and not auto-delete")
    if not quorum and ("x-delivery-limit" in arguments or "x-dead-letter-strategy" in arguments):
        raise Refusal(406, "x-delivery-limit and x-dead-letter-strategy are for quorum queues only")
    if "x-dead-letter-routing-key" in arguments and "x-dead-letter-exchange" not in arguments:
        raise Refusal(406, "x-dead-letter-routing-key needs x-dead-letter-exchange")
    return {name: getattr(method, name) for name in ("durable", "exclusive", "auto_delete")} | arguments


class Queue:
    """Messages in order, consumers in turn. Never awaits: each call leaves it consistent."""

    def __init__(self, name: str, options: dict[str, Any], *, owner: object | None, broker: "Broker") -> None:
        self.name = name
        self.options = options
        self.owner = owner
        self.deleted = False
        self.consumers: deque[Consumer] = deque()
        self.quorum = options["x-queue-type"] == "quorum"
        self._delivery_limit: int | None = options.get("x-delivery-limit")
        self._broker = broker
        self.waiting: list[tuple[int, Entry]] = []
        self._appended = 0

    def append(self, message: Message) -> None:
        self._appended += 1
        self._broker.held_bytes += message.size
        heapq.heappush(self.waiting, (self._appended, Entry(self._appended, message)))
        self.pump()

    def pump(self) -> None:
        """Hand out messages, one consumer after the other, until none is left or nobody can take one."""
        busy_in_a_row = 0
        while self.waiting and busy_in_a_row < len(self.consumers):
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if consumer.ready:
                busy_in_a_row = 0
                consumer.channel.deliver(consumer, heapq.heappop(self.waiting)[1])
            else:
                busy_in_a_row += 1

    def settle(self, entry: Entry) -> None:
        """The message is done with: acknowledged, dropped, or buried elsewhere."""
        self._broker.held_bytes -= entry.message.size

    def give_back(self, entry: Entry) -> None:
        """Back to its old place, or to the dead letters once it was returned too often. Does not pump."""
        entry.returns += 1
        if self.deleted:
            self.settle(entry)
        elif self._delivery_limit is not None and entry.returns > self._delivery_limit:
            self._broker.bury(self, entry, "delivery_limit")
        else:
            heapq.heappush(self.waiting, (entry.position, entry))

    def purge(self) -> int:
        """Drop what waits (not what consumers hold); how many that was."""
        dropped, self.waiting = self.waiting, []
        for _, entry in dropped:
            self.settle(entry)
        return len(dropped)
