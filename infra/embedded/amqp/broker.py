"""The one virtual host: every exchange and queue by name, routing, and where dead letters go."""

import asyncio
import secrets

from infra import clock
from infra.embedded.amqp.exchanges import KINDS, Exchange
from infra.embedded.amqp.messages import DeathReason, Entry
from infra.embedded.amqp.queues import Queue, QueueOptions
from infra.embedded.amqp.refusals import Refusal, not_implemented

RETRY_SECONDS = 1.0


class Broker:
    """Everything that connections share. In memory: it is gone with the process, the database is not."""

    def __init__(self, *, memory_limit: int) -> None:
        self.memory_limit = memory_limit
        self.held_bytes = 0
        self.exchanges = {f"amq.{kind}": Exchange(kind, durable=True) for kind in KINDS}
        self.queues: dict[str, Queue] = {}
        self._unburied: list[tuple[Queue, Entry, DeathReason]] = []
        self._retry: asyncio.TimerHandle | None = None

    def fits(self, size: int) -> bool:
        return self.held_bytes + size <= self.memory_limit

    def exchange(self, name: str) -> Exchange:
        if not name:
            raise Refusal(403, "operation not permitted on the default exchange")
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

    def declare_exchange(self, name: str, kind: str, *, durable: bool) -> None:
        if kind == "headers":
            raise not_implemented("headers exchanges")
        if kind not in KINDS:
            raise Refusal(503, f"unknown exchange type '{kind}'")
        if name not in self.exchanges:
            refuse_reserved("exchange", name)
            self.exchanges[name] = Exchange(kind, durable=durable)
        current = self.exchange(name)
        if (current.kind, current.durable) != (kind, durable):
            why = f"received {kind, durable} but current is {current.kind, current.durable}"
            raise Refusal(406, f"inequivalent arg for exchange '{name}' in vhost '/': {why}")

    def delete_exchange(self, name: str, *, if_unused: bool) -> None:
        refuse_reserved("exchange", name)
        if name in self.exchanges and if_unused and self.exchanges[name].bindings:
            raise Refusal(406, f"exchange '{name}' in vhost '/' in use")
        self.exchanges.pop(name, None)

    def declare_queue(self, name: str, options: QueueOptions, asker: object) -> Queue:
        """The queue of that name, made if need be (an empty name: one is chosen)."""
        if name in self.queues:
            queue = self.queue(name, asker)
            if difference := queue.options.differs_in(options):
                raise Refusal(406, f"inequivalent arg for queue '{name}' in vhost '/': {difference}")
            return queue
        options.check(name)
        refuse_reserved("queue", name)
        name = name or f"amq.gen-{secrets.token_urlsafe(16)}"
        owner = asker if options.exclusive else None
        self.queues[name] = Queue(name, options, owner=owner, broker=self)
        return self.queues[name]

    def delete_queue(self, queue: Queue) -> int:
        """Unbind it, drop what waits and tell its consumers; how many messages were dropped."""
        for exchange in self.exchanges.values():
            exchange.forget(queue)
        self.queues.pop(queue.name, None)
        queue.deleted = True
        for consumer in list(queue.consumers):
            consumer.lose_queue()
        queue.consumers.clear()
        return queue.purge()

    def route(self, exchange: str, key: str) -> tuple[Queue, ...]:
        if exchange:
            return self.exchange(exchange).route(key)
        return (self.queues[key],) if key in self.queues else ()

    def bury(self, queue: Queue, entry: Entry, reason: DeathReason) -> None:
        """Dead-letter an entry its queue let go of. At-least-once ones wait, held, for a way to go."""
        if queue.deleted or self._is_buried(queue, entry, reason) or not queue.keeps_dead_letters:
            queue.settle(entry)
            return
        self._unburied.append((queue, entry, reason))
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._bury_again)

    def _is_buried(self, queue: Queue, entry: Entry, reason: DeathReason) -> bool:
        """Whether every queue that should have the dead letter took it (True if none was named)."""
        exchange = queue.dead_letter_exchange
        if exchange is None or (exchange and exchange not in self.exchanges):
            return exchange is None
        key = queue.dead_letter_key
        dead = entry.message.buried(queue.name, reason, exchange=exchange, key=key, at=clock.now())
        targets = self.route(exchange, dead.routing_key)
        straight = [each for each in targets if reason == "rejected" or not dead.would_cycle(each.name)]
        taken = [target.append(dead) for target in straight]
        return bool(targets) and all(taken)

    def _bury_again(self) -> None:
        self._retry = None
        waiting, self._unburied = self._unburied, []
        for queue, entry, reason in waiting:
            self.bury(queue, entry, reason)

    def close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()


def refuse_reserved(kind: str, name: str) -> None:
    if name.startswith("amq."):
        raise Refusal(403, f"{kind} name '{name}' contains reserved prefix 'amq.*'")
