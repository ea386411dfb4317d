"""One queue: how it was declared, its order, its consumers and its limits."""

import heapq
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.embedded.amqp.messages import Entry, Message
from infra.embedded.amqp.refusals import Refusal, not_implemented

if TYPE_CHECKING:
    from infra.embedded.amqp.broker import Broker
    from infra.embedded.amqp.channel import Consumer

COUNTS = ("x-delivery-limit", "x-max-length")
TEXTS = ("x-dead-letter-exchange", "x-dead-letter-routing-key")
CHOICES = {
    "x-queue-type": ("classic", "quorum"),
    "x-dead-letter-strategy": ("at-most-once", "at-least-once"),
    "x-overflow": ("drop-head", "reject-publish"),
}
QUORUM_ONLY = ("x-delivery-limit", "x-dead-letter-strategy")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """How a queue is declared; a second declaration has to say the same."""

    durable: bool
    exclusive: bool
    auto_delete: bool
    arguments: dict[str, Any]

    @property
    def quorum(self) -> bool:
        return bool(self.arguments.get("x-queue-type") == "quorum")

    def check(self, name: str) -> None:
        """Raises Refusal: 540 for an argument that is not implemented, 406 for one RabbitMQ refuses too."""
        wrong: list[str] = []
        for argument, value in self.arguments.items():
            if argument not in (*COUNTS, *TEXTS, *CHOICES):
                raise not_implemented(f"the argument {argument} (queue '{name}')")
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            accepted = is_count if argument in COUNTS else isinstance(value, str)
            if not accepted or value not in CHOICES.get(argument, (value,)):
                wrong.append(f"arg '{argument}' ({value!r})")
            elif argument in QUORUM_ONLY and not self.quorum:
                wrong.append(f"arg '{argument}' (only for quorum queues)")
        if "x-dead-letter-routing-key" in self.arguments and "x-dead-letter-exchange" not in self.arguments:
            wrong.append("arg 'x-dead-letter-routing-key' (without x-dead-letter-exchange)")
        if self.quorum and (self.exclusive or self.auto_delete or not self.durable):
            wrong.append("property (quorum queues are durable, not exclusive and not auto-delete)")
        if wrong:
            raise Refusal(406, f"invalid {wrong[0]} for queue '{name}' in vhost '/'")

    def differs_in(self, other: "QueueOptions") -> str | None:
        """The first option in which the declarations differ, in words."""
        mine, theirs = self.said, other.said
        for option in (*mine, *theirs):
            if mine.get(option) != theirs.get(option):
                return f"'{option}': received {theirs.get(option)!r} but current is {mine.get(option)!r}"
        return None

    @property
    def said(self) -> dict[str, Any]:
        """Everything that was declared, by name."""
        flags = {"durable": self.durable, "exclusive": self.exclusive, "auto_delete": self.auto_delete}
        return flags | {"x-queue-type": "classic"} | self.arguments


class Queue:
    """Messages in order, consumers in turn. Never awaits: each call leaves it consistent."""

    def __init__(self, name: str, options: QueueOptions, *, owner: object | None, broker: "Broker") -> None:
        self.name = name
        self.options = options
        self.owner = owner
        self.deleted = False
        self.consumers: deque[Consumer] = deque()
        arguments = options.arguments.get
        self.dead_letter_exchange: str | None = arguments("x-dead-letter-exchange")
        self.dead_letter_key: str | None = arguments("x-dead-letter-routing-key")
        self._rejects_overflow = arguments("x-overflow") == "reject-publish"
        strategy = arguments("x-dead-letter-strategy")
        # As in RabbitMQ, the strategy counts only together with reject-publish.
        self.keeps_dead_letters = self._rejects_overflow and strategy == "at-least-once"
        self._max_length: int | None = arguments("x-max-length")
        self._delivery_limit: int | None = arguments("x-delivery-limit")
        self._broker = broker
        self._fresh: deque[Entry] = deque()
        self._returned: list[Entry] = []
        self._appended = 0

    @property
    def ready(self) -> int:
        return len(self._fresh) + len(self._returned)

    def append(self, message: Message) -> bool:
        """Take the message; False when the queue is full and rejects."""
        limit = self._max_length
        if limit is not None and self._rejects_overflow and self.ready >= limit:
            return False
        self._fresh.append(Entry(self._appended, message))
        self._appended += 1
        self._broker.held_bytes += message.size
        self.pump()
        while limit is not None and self.ready > limit and (oldest := self.pull()) is not None:
            self._broker.bury(self, oldest, "maxlen")
        return True

    def pull(self) -> Entry | None:
        if self._returned:
            return heapq.heappop(self._returned)
        return self._fresh.popleft() if self._fresh else None

    def pump(self) -> None:
        """Hand out messages, one consumer after the other, until none is left or nobody can take one."""
        busy_in_a_row = 0
        while self.ready and busy_in_a_row < len(self.consumers):
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if not consumer.ready:
                busy_in_a_row += 1
            elif (entry := self.pull()) is not None:
                busy_in_a_row = 0
                consumer.deliver(entry)

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
            heapq.heappush(self._returned, entry)

    def purge(self) -> int:
        """Drop what waits (not what consumers hold); how many that was."""
        count = self.ready
        while (entry := self.pull()) is not None:
            self.settle(entry)
        return count
