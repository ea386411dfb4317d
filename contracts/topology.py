"""Every exchange and queue as data; nobody else spells a name.

A queue belongs to its consumer: `<worker>.<message>[.<pool>]`. Durable queues dead-letter into `ops.dead`,
whose one queue the caretaker turns into rows. Pool queues are templates, declared by each executor that
serves the pool. What serves browsers or every process of a kind is exclusive and goes with its connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from contracts.messages import COMMANDS, EVENTS, Message
from contracts.runs.messages import AdvanceRun, CancelRequested, ExecuteTasks, RunsChanged, StartRun
from contracts.targets.messages import TestConnection

DEAD = "ops.dead"
DEFAULT_POOL = "default"
DELIVERY_LIMIT = 5

QueueType = Literal["quorum", "classic"]


@dataclass(frozen=True, slots=True)
class Exchange:
    name: str
    type: Literal["topic", "fanout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A durable queue with its binding. `pool_template` marks one queue per pool."""

    name: str
    exchange: str
    routing_key: str
    message: type[Message] | None
    pool_template: bool = False
    dead_letters: bool = True

    def for_pool(self, pool: str) -> "Queue":
        return Queue(
            name=f"{self.name}.{pool}",
            exchange=self.exchange,
            routing_key=f"{self.routing_key}.{pool}",
            message=self.message,
        )

    def arguments(self, queue_type: QueueType) -> dict[str, Any]:
        """The x-arguments to declare the queue with."""
        if queue_type == "classic":
            return {"x-queue-type": "classic"} | (
                {"x-dead-letter-exchange": DEAD, "x-dead-letter-routing-key": self.name}
                if self.dead_letters
                else {}
            )
        arguments: dict[str, Any] = {"x-queue-type": "quorum"}
        if self.dead_letters:
            arguments |= {
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": DEAD,
                "x-dead-letter-routing-key": self.name,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            }
        return arguments


EXCHANGES = (Exchange(COMMANDS, "topic"), Exchange(EVENTS, "topic"), Exchange(DEAD, "topic"))


def _command_queue(
    worker: str, message: type[Message], *, action: str | None = None, pool_template: bool = False
) -> Queue:
    return Queue(
        name=f"{worker}.{action or message.wire_type.split('.')[1]}",
        exchange=COMMANDS,
        routing_key=message.wire_type,
        message=message,
        pool_template=pool_template,
    )


START_RUN = _command_queue("orchestrator", StartRun)
ADVANCE_RUN = _command_queue("orchestrator", AdvanceRun)
EXECUTE_TASKS = _command_queue("executor", ExecuteTasks, pool_template=True)
TEST_CONNECTIONS = _command_queue("executor", TestConnection, action="test-connections", pool_template=True)
DEAD_LETTERS = Queue(
    name="caretaker.dead-letters", exchange=DEAD, routing_key="#", message=None, dead_letters=False
)

QUEUES = (START_RUN, ADVANCE_RUN, EXECUTE_TASKS, TEST_CONNECTIONS, DEAD_LETTERS)

HEARD_BY_EVERY_EXECUTOR = CancelRequested
HEARD_BY_EVERY_GATEWAY = RunsChanged
"""Events that each process hears on a queue of its own (exclusive, server-named, gone with it)."""


def durable_queues(pools: Iterable[str] = (DEFAULT_POOL,)) -> tuple[Queue, ...]:
    """The queues of this system, with the pool templates filled in."""
    pools = tuple(pools)
    fixed = tuple(queue for queue in QUEUES if not queue.pool_template)
    return fixed + tuple(queue.for_pool(pool) for queue in QUEUES if queue.pool_template for pool in pools)
