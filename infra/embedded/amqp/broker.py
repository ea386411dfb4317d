"""The one virtual host: topic exchanges and queues by name, routing, and where dead letters go."""

import secrets

from pamqp.commands import Queue as Methods

from infra.embedded.amqp.framing import Refusal
from infra.embedded.amqp.queues import Entry, Queue, options_of


def topic_matches(pattern: str, key: str) -> bool:
    """AMQP 0-9-1 section 3.1.3.3, in at most pattern times key steps, however many `#` there are."""
    words = key.split(".") if key else []
    reached = {0}
    for part in pattern.split(".") if pattern else []:
        if part == "#":
            reached = set(range(min(reached, default=len(words) + 1), len(words) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(words) and part in ("*", words[at])}
    return len(words) in reached


class Broker:
    """Everything that connections share. In memory: it is gone with the process, the database is not."""

    def __init__(self, *, memory_limit: int) -> None:
        self.memory_limit = memory_limit
        self.held_bytes = 0
        self.queues: dict[str, Queue] = {}
        self.exchanges: dict[str, dict[tuple[str, Queue], None]] = {}
        self._unburied: list[tuple[Queue, Entry, str]] = []

    def exchange(self, name: str) -> dict[tuple[str, Queue], None]:
        """Its bindings, in the order they were made. Raises Refusal 404 when it does not exist."""
        if name not in self.exchanges:
            raise Refusal(404, f"no exchange '{name}' in vhost '/'")
        return self.exchanges[name]

    def queue(self, name: str, asker: object) -> Queue:
        """Raises Refusal: 404 when it does not exist, 405 when it belongs to another connection."""
        if name not in self.queues:
            raise Refusal(404, f"no queue '{name}' in vhost '/'")
        if self.queues[name].owner not in (None, asker):
            raise Refusal(405, f"cannot obtain exclusive access to locked queue '{name}' in vhost '/'")
        return self.queues[name]

    def declare_queue(self, method: Methods.Declare, asker: object) -> Queue:
        """The queue of that name, made if need be (an empty name: one is chosen)."""
        name = method.queue
        if method.passive:
            return self.queue(name, asker)
        options = options_of(method)
        if name in self.queues:
            current = self.queue(name, asker).options
            for option in sorted({option for option, _ in current.items() ^ options.items()}):
                why = f"received {options.get(option)!r} but current is {current.get(option)!r}"
                raise Refusal(406, f"inequivalent arg '{option}' for queue '{name}' in vhost '/': {why}")
            return self.queues[name]
        name = name or f"amq.gen-{secrets.token_urlsafe(16)}"
        self.queues[name] = Queue(name, options, owner=asker if method.exclusive else None, broker=self)
        return self.queues[name]

    def bind(self, exchange: str, queue: Queue, pattern: str) -> None:
        """It may be what at-least-once dead letters are waiting for."""
        self.exchange(exchange)[(pattern, queue)] = None
        waiting, self._unburied = self._unburied, []
        for letter in waiting:
            self.bury(*letter)

    def delete_queue(self, queue: Queue) -> int:
        """Unbind it, drop what waits and tell its consumers; how many messages were dropped."""
        del self.queues[queue.name]
        queue.deleted = True
        for name, bindings in self.exchanges.items():
            self.exchanges[name] = {each: None for each in bindings if each[1] is not queue}
        for consumer in queue.consumers:
            consumer.lose_queue()
        queue.consumers.clear()
        return queue.purge()

    def route(self, exchange: str, key: str) -> list[Queue]:
        """Every queue once, however many of its bindings match."""
        if not exchange:
            return [self.queues[key]] if key in self.queues else []
        bindings = self.exchanges.get(exchange, {})
        return list(dict.fromkeys(queue for pattern, queue in bindings if topic_matches(pattern, key)))

    def bury(self, queue: Queue, entry: Entry, reason: str) -> None:
        """Dead-letter an entry its queue let go of; an at-least-once one waits, held, for a way to go."""
        if "x-dead-letter-exchange" in queue.options and not queue.deleted:
            dead = entry.message.buried(queue, reason)
            graves = self.route(dead.exchange, dead.routing_key)
            if not graves and "x-dead-letter-strategy" in queue.options:
                self._unburied.append((queue, entry, reason))
                return
            for grave in graves:
                grave.append(dead)
        queue.settle(entry)
