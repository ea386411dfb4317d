"""The one virtual host: every exchange and queue by name, routing, and where dead letters go."""

import asyncio
import secrets
from collections import deque

from infra.embedded.amqp.exchanges import KINDS, Exchange
from infra.embedded.amqp.messages import DeathReason, Entry, bury, would_cycle
from infra.embedded.amqp.queues import Memory, Queue, QueueOptions, Receiver
from infra.embedded.amqp.refusals import Refusal, missing, not_implemented

RETRY_SECONDS = 1.0


class Broker:
    """Everything that connections share. In memory: it is gone with the process, the database is not."""

    def __init__(self, *, memory_limit: int) -> None:
        self.memory = Memory(memory_limit)
        self.exchanges = {f"amq.{kind}": Exchange(f"amq.{kind}", kind, durable=True) for kind in KINDS}
        self.queues: dict[str, Queue] = {}
        self._unburied: deque[tuple[Queue, Entry, DeathReason]] = deque()
        self._retry: asyncio.TimerHandle | None = None

    def exchange(self, name: str) -> Exchange:
        if name not in self.exchanges:
            raise missing("exchange", name)
        return self.exchanges[name]

    def queue(self, name: str, asker: object) -> Queue:
        """Raises Refusal: 404 when it does not exist, 405 when it belongs to another connection."""
        queue = self.queues.get(name)
        if queue is None:
            raise missing("queue", name)
        if queue.owner not in (None, asker):
            raise Refusal(405, f"cannot obtain exclusive access to locked queue '{name}' in vhost '/'")
        return queue

    def declare_exchange(self, name: str, kind: str, *, durable: bool) -> None:
        if kind == "headers":
            raise not_implemented("headers exchanges")
        if kind not in KINDS:
            raise Refusal(503, f"unknown exchange type '{kind}'")
        current = self.exchanges.get(name)
        if current is None:
            refuse_reserved(name, "exchange")
            self.exchanges[name] = Exchange(name, kind, durable=durable)
        elif (current.kind, current.durable) != (kind, durable):
            received, now = f"{kind}, durable={durable}", f"{current.kind}, durable={current.durable}"
            why = f"received '{received}' but current is '{now}'"
            raise Refusal(406, f"inequivalent arg for exchange '{name}' in vhost '/': {why}")

    def delete_exchange(self, name: str, *, if_unused: bool) -> None:
        refuse_reserved(name, "exchange")
        current = self.exchanges.get(name)
        if current is not None and if_unused and current.in_use:
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
        refuse_reserved(name, "queue")
        chosen = name or f"amq.gen-{secrets.token_urlsafe(16)}"
        owner = asker if options.exclusive else None
        queue = Queue(chosen, options, owner=owner, memory=self.memory, bury=self._bury)
        self.queues[chosen] = queue
        return queue

    def delete_queue(self, queue: Queue) -> int:
        for exchange in self.exchanges.values():
            exchange.forget(queue)
        self.queues.pop(queue.name, None)
        return queue.delete()

    def leave(self, queue: Queue, consumer: Receiver) -> None:
        """The consumer is gone; the last one takes an auto-delete queue with it."""
        if consumer in queue.consumers:
            queue.consumers.remove(consumer)
            if queue.options.auto_delete and not queue.consumers:
                self.delete_queue(queue)

    def delete_queues_of(self, owner: object) -> None:
        for queue in [queue for queue in self.queues.values() if queue.owner is owner]:
            self.delete_queue(queue)

    def route(self, exchange: str, key: str) -> tuple[Queue, ...]:
        if exchange:
            return self.exchange(exchange).route(key)
        return (self.queues[key],) if key in self.queues else ()

    def _bury(self, queue: Queue, entry: Entry, reason: DeathReason) -> None:
        """Dead-letter an entry its queue let go of, or drop it when nobody wants it."""
        if self._is_buried(queue, entry, reason) or not queue.options.dead_letters_at_least_once:
            queue.settle(entry)
            return
        self._unburied.append((queue, entry, reason))
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._bury_again)

    def _is_buried(self, queue: Queue, entry: Entry, reason: DeathReason) -> bool:
        """Whether every queue that should have the dead letter took it (True if none was named)."""
        exchange = queue.options.dead_letter_exchange
        if exchange is None:
            return True
        if exchange and exchange not in self.exchanges:
            return False
        key = queue.options.arguments.get("x-dead-letter-routing-key")
        dead = bury(entry.message, queue=queue.name, reason=reason, exchange=exchange, key=key)
        targets = self.route(exchange, dead.routing_key)
        if reason != "rejected":
            cycles = [target for target in targets if would_cycle(dead, target.name)]
            if cycles and len(cycles) == len(targets):
                return True
            targets = tuple(target for target in targets if target not in cycles)
        taken = [target.append(dead) for target in targets]
        return bool(taken) and all(taken)

    def _bury_again(self) -> None:
        """At-least-once dead letters wait here, counted as memory, until their exchange leads somewhere."""
        self._retry = None
        waiting, self._unburied = self._unburied, deque()
        for queue, entry, reason in waiting:
            if queue.deleted:
                queue.settle(entry)
            else:
                self._bury(queue, entry, reason)

    def close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()


def refuse_reserved(name: str, kind: str) -> None:
    if name.startswith("amq."):
        raise Refusal(403, f"{kind} name '{name}' contains reserved prefix 'amq.*'")
