"""The caretaker as one role of a worker process."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog
from faststream.rabbit.annotations import RabbitMessage
from prometheus_client import Gauge
from sqlalchemy import text

from contracts import topology
from infra.batching import Batcher
from infra.outages import is_outage
from infra.process import Process
from workers.caretaker import artifacts, usecases
from workers.caretaker.usecases import DeadMessage

TIDY_SECONDS = 3_600.0
SAMPLE_SECONDS = 15.0
SEATS_SECONDS = 60.0
ARTIFACT_SECONDS = 60.0

READY = Gauge("ops_tasks_ready", "Tasks that wait for an executor", ["pool"])
OLDEST = Gauge("ops_tasks_ready_oldest_seconds", "Age of the oldest ready task", ["pool"])
OUTBOX = Gauge("ops_outbox_pending", "Committed messages that are not published yet")
DEAD = Gauge("ops_dlq_messages", "Dead letters that nobody has replayed or discarded")

log = structlog.get_logger()


def install(process: Process) -> None:
    """Make this process look after lost workers, dead letters and old rows."""

    async def write(messages: Sequence[DeadMessage]) -> Sequence[Exception | None]:
        await usecases.keep_dead_letters(messages, open_uow=process.open_uow)
        return [None] * len(messages)

    letters: Batcher[DeadMessage, None] = Batcher(write, gate=process.gate, max_items=50)

    async def on_dead_letter(message: RabbitMessage) -> None:
        await letters.submit(dead_message(message))

    async def release_expired() -> None:
        while await usecases.release_expired_workers(process.open_uow) == usecases.EXPIRED_AT_ONCE:
            pass

    async def tidy() -> None:
        async with process.sessions.begin() as session:
            await usecases.tidy(session)

    async def free_seats() -> None:
        async with process.sessions.begin() as session:
            await usecases.free_forgotten_seats(session)

    async def sample() -> None:
        await sample_depths(process)

    async def remove_artifacts() -> None:
        await artifacts.sweep(process.open_uow)

    seconds = process.settings.lease_seconds / 6
    process.consumers.on_raw(topology.DEAD_LETTERS, on_dead_letter, prefetch=20)
    process.run_while_alive(_every(seconds, release_expired))
    process.run_while_alive(_every(TIDY_SECONDS, tidy))
    process.run_while_alive(_every(ARTIFACT_SECONDS, remove_artifacts))
    process.run_while_alive(_every(SEATS_SECONDS, free_seats))
    process.run_while_alive(_every(SAMPLE_SECONDS, sample))
    process.at_drain(letters.flush)


def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A loop that does `work` about every `seconds`; an outage is waited out, a bug is logged."""

    async def loop() -> None:
        while True:
            try:
                await work()
            except Exception as error:
                if not is_outage(error):
                    log.exception("caretaker.failed", work=work.__name__)
            await asyncio.sleep(seconds * random.uniform(0.75, 1.25))  # noqa: S311

    return loop


async def sample_depths(process: Process) -> None:
    """Read what waits into the metrics."""
    async with process.sessions() as session:
        ready = await session.execute(
            text("""
                SELECT pool, count(*) AS waiting,
                       EXTRACT(EPOCH FROM now() - min(not_before))::float8 AS oldest
                  FROM tasks WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool
            """)
        )
        READY.clear()
        OLDEST.clear()
        for row in ready:
            READY.labels(row.pool).set(row.waiting)
            OLDEST.labels(row.pool).set(max(0.0, row.oldest))
        OUTBOX.set(await session.scalar(text("SELECT count(*) FROM outbox")) or 0)
        DEAD.set(await session.scalar(text("SELECT count(*) FROM dead_letters WHERE status = 'open'")) or 0)


def dead_message(message: RabbitMessage) -> DeadMessage:
    """What the broker says about a message that died: where it was meant to go, why, how often."""
    raw = message.raw_message
    deaths = raw.headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    keys = death.get("routing-keys")
    routing_key = keys[0] if isinstance(keys, list) and keys else raw.routing_key
    reason = str(death.get("reason", "unknown"))
    return DeadMessage(
        queue=str(death.get("queue", raw.routing_key)),
        exchange=str(death.get("exchange", "")),
        routing_key=str(routing_key),
        wire_type=raw.type,
        message_id=_uuid(raw.message_id),
        reason=reason,
        attempts=topology.DELIVERY_LIMIT + 1 if reason == "delivery_limit" else 1,
        body=raw.body,
        headers=dict(raw.headers)
        | {"message-id": raw.message_id, "correlation-id": raw.correlation_id, "type": raw.type},
    )


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
