"""One queue: its order, its consumers, its limits. Dead letters leave through the callback it was given."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from infra.embedded.amqp.messages import DeathReason, Entry, Message, header_with
from infra.embedded.amqp.refusals import Refusal, not_implemented

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
    """How a queue was declared; a second declaration has to say the same."""

    durable: bool
    exclusive: bool
    auto_delete: bool
    arguments: dict[str, Any]

    def check(self, name: str) -> None:
        """Raises Refusal: 540 for an argument that is not implemented, 406 for one RabbitMQ refuses too."""
        for argument, value in self.arguments.items():
            if argument not in (*COUNTS, *TEXTS, *CHOICES):
                raise not_implemented(f"the argument {argument} (queue '{name}')")
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            accepted = is_count if argument in COUNTS else isinstance(value, str)
            if not accepted or (argument in CHOICES and value not in CHOICES[argument]):
                raise self._invalid("arg", argument, name, f": {value!r}")
            if argument in QUORUM_ONLY and not self.quorum:
                raise self._invalid("arg", argument, name, " of queue type classic")
        if "x-dead-letter-routing-key" in self.arguments and self.dead_letter_exchange is None:
            raise self._invalid("arg", "x-dead-letter-routing-key", name, ": no x-dead-letter-exchange")
        wrong = {"durable": not self.durable, "exclusive": self.exclusive, "auto-delete": self.auto_delete}
        for option in (option for option, is_wrong in wrong.items() if is_wrong and self.quorum):
            raise self._invalid("property", option, name, " of queue type quorum")

    @staticmethod
    def _invalid(what: str, argument: str, name: str, why: str) -> Refusal:
        return Refusal(406, f"invalid {what} '{argument}' for queue '{name}' in vhost '/'{why}")

    def differs_in(self, other: "QueueOptions") -> str | None:
        """The first option in which the declarations differ, in words."""
        mine = {"durable": self.durable, "exclusive": self.exclusive, "auto_delete": self.auto_delete}
        theirs = {"durable": other.durable, "exclusive": other.exclusive, "auto_delete": other.auto_delete}
        mine |= {"x-queue-type": "classic"} | self.arguments
        theirs |= {"x-queue-type": "classic"} | other.arguments
        for option in sorted({*mine, *theirs}):
            if mine.get(option) != theirs.get(option):
                return f"'{option}': received {theirs.get(option)!r} but current is {mine.get(option)!r}"
        return None

    @property
    def quorum(self) -> bool:
        return bool(self.arguments.get("x-queue-type") == "quorum")

    @property
    def dead_letter_exchange(self) -> str | None:
        return self.arguments.get("x-dead-letter-exchange")

    @property
    def rejects_overflow(self) -> bool:
        return bool(self.arguments.get("x-overflow") == "reject-publish")

    @property
    def dead_letters_at_least_once(self) -> bool:
        """As in RabbitMQ, the strategy counts only together with reject-publish."""
        return self.rejects_overflow and self.arguments.get("x-dead-letter-strategy") == "at-least-once"


class Receiver(Protocol):
    """A consumer as its queue sees it."""

    @property
    def ready(self) -> bool: ...
    def deliver(self, entry: Entry) -> None: ...
    def cancelled(self) -> None: ...


class Memory:
    """The bytes that messages hold in this process, and how many they may."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def fits(self, size: int) -> bool:
        return self.held + size <= self.limit


class Queue:
    """Messages in order, consumers in turn. Never awaits: each call leaves it consistent."""

    def __init__(
        self,
        name: str,
        options: QueueOptions,
        *,
        owner: object | None,
        memory: Memory,
        bury: Callable[["Queue", Entry, DeathReason], None],
    ) -> None:
        self.name = name
        self.options = options
        self.owner = owner
        self.deleted = False
        self.consumers: deque[Receiver] = deque()
        self._memory = memory
        self._bury = bury
        self._fresh: deque[Entry] = deque()
        self._returned: list[Entry] = []
        self._next_position = 0

    @property
    def ready(self) -> int:
        return len(self._fresh) + len(self._returned)

    def append(self, message: Message) -> bool:
        """Take the message; False when the queue is full and rejects."""
        limit = self.options.arguments.get("x-max-length")
        if limit is not None and self.options.rejects_overflow and self.ready >= limit:
            return False
        self._fresh.append(Entry(self._next_position, message))
        self._next_position += 1
        self._memory.held += message.size
        self.pump()
        while limit is not None and self.ready > limit and (oldest := self.pull()) is not None:
            self._bury(self, oldest, "maxlen")
        return True

    def header_of(self, entry: Entry) -> bytes:
        """The content header to deliver; a quorum queue says how often the message came back."""
        if entry.returns and self.options.quorum:
            return header_with(entry.message, "x-delivery-count", entry.returns)
        return entry.message.header

    def pull(self) -> Entry | None:
        if self._returned:
            return heapq.heappop(self._returned)
        return self._fresh.popleft() if self._fresh else None

    def pump(self) -> None:
        """Hand out messages, one consumer after the other, until none is left or nobody can take one."""
        refused_in_a_row = 0
        while self.ready and refused_in_a_row < len(self.consumers):
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if not consumer.ready:
                refused_in_a_row += 1
            elif (entry := self.pull()) is not None:
                refused_in_a_row = 0
                consumer.deliver(entry)

    def settle(self, entry: Entry) -> None:
        """The message is done with: acknowledged, dropped, or buried elsewhere."""
        self._memory.held -= entry.message.size

    def give_back(self, entry: Entry) -> None:
        """Back to its old place, or to the dead letters once it was returned too often. Does not pump."""
        entry.redelivered = True
        entry.returns += 1
        limit = self.options.arguments.get("x-delivery-limit")
        if self.deleted:
            self.settle(entry)
        elif limit is not None and entry.returns > limit:
            self._bury(self, entry, "delivery_limit")
        else:
            heapq.heappush(self._returned, entry)

    def reject(self, entry: Entry) -> None:
        if self.deleted:
            self.settle(entry)
        else:
            self._bury(self, entry, "rejected")

    def purge(self) -> int:
        """Drop what waits (not what consumers hold); how many that was."""
        count = self.ready
        while (entry := self.pull()) is not None:
            self.settle(entry)
        return count

    def delete(self) -> int:
        """Purge and tell every consumer; how many messages were dropped."""
        self.deleted = True
        consumers, self.consumers = list(self.consumers), deque()
        for consumer in consumers:
            consumer.cancelled()
        return self.purge()
