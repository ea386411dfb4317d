"""Committed outbox rows to the broker. Nothing else in the system publishes."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from uuid import UUID

import orjson
import structlog
from sqlalchemy import text

from contracts.messages import Meta
from contracts.runs.messages import RunsChanged
from infra.broker import PUBLISH_SECONDS, Publisher, Unroutable
from infra.database import Sessions, engine_of
from infra.direct import direct_statement
from infra.ids import uuid7
from infra.outages import Gate, is_outage
from infra.unit_of_work import Outgoing, new_meta

PUBLISH_BATCH = 200
SWEEP_SECONDS = 1.0
SWEEP_BATCH = 200
RING_SECONDS = 0.02
FORGET_SECONDS = 0.2
"""How long confirmed rows wait for others to be deleted with: nobody waits for that, and a commit for each
message would compete with those that somebody waits for."""
MAX_ATTEMPTS = 10
RING_IDS = 500
TAKEN_SECONDS = PUBLISH_SECONDS + 5
"""How long a swept row belongs to its sweeper: longer than a publish can take, so that no two send it."""

_SWEEP = text("""
    UPDATE outbox SET attempts = attempts + 1, available_at = now() + make_interval(secs => :taken)
     WHERE id IN (SELECT id FROM outbox WHERE available_at <= now()
                   ORDER BY available_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, exchange, routing_key, wire_type, body, meta, attempts
""")
_BACK_OFF = text("""
    UPDATE outbox SET last_error = :error, available_at = now() + make_interval(
               secs => least(300, 2 ^ least(attempts - 1, 8)) * (0.75 + random() / 2))
     WHERE id = :id
""")
_DELETE = text("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")
_BURY = text("""
    WITH gone AS (DELETE FROM outbox WHERE id = :id RETURNING *)
    INSERT INTO dead_letters (id, queue, exchange, routing_key, wire_type, body, headers, reason,
                              first_error, last_error, attempts)
    SELECT :letter_id, 'outbox', exchange, routing_key, wire_type, convert_to(body::text, 'UTF8'), meta,
           'unpublishable', last_error, :error, attempts FROM gone
""")

_WAIT_FOR_BROKER = text("""
    UPDATE outbox SET last_error = :error, attempts = greatest(0, attempts - 1),
           available_at = least(available_at, now() + interval '5 seconds')
     WHERE id = :id
""")

log = structlog.get_logger()


def broker_is_away(error: Exception) -> bool:
    """Nothing is wrong with the message: it was not the broker that refused it."""
    return not isinstance(error, Unroutable) and (
        is_outage(error) or isinstance(error, TimeoutError | RuntimeError)
    )


class OutboxRelay:
    """Publishes what units of work hand over, deletes what was confirmed, and sweeps what was left.

    A row that cannot be published delays only itself and becomes a dead letter after 10 attempts; those that
    fail because the broker is away do not count.
    """

    def __init__(self, sessions: Sessions, publisher: Publisher, gate: Gate, *, sweeps: bool = True) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._sweeps = sweeps
        self._rows: deque[Outgoing] = deque()
        self._runs: set[UUID] = set()
        self._rows_wake = asyncio.Event()
        self._ring_wake = asyncio.Event()
        self._gate = gate
        self._confirmed: list[int] = []
        self._confirmed_wake = asyncio.Event()
        self._publishing = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loops = [self._publish_loop(), self._ring_loop(), self._forget_loop()]
        loops += [self._sweep_loop()] if self._sweeps else []
        self._tasks = [asyncio.create_task(loop, name="outbox-relay") for loop in loops]

    async def stop(self) -> None:
        """Publish what was handed over, then stop; what fails stays in the outbox for others."""
        for _ in range(100):
            if not (self._rows or self._publishing):
                break
            await asyncio.sleep(0.02)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._forget()
        await self._publisher.close()

    def hand_over(self, rows: Sequence[Outgoing]) -> None:
        """Take rows whose transaction has committed."""
        self._rows.extend(rows)
        self._rows_wake.set()

    def ring(self, run_ids: set[UUID]) -> None:
        """Tell open streams that these runs have new rows; several rings become one."""
        self._runs |= run_ids
        self._ring_wake.set()

    async def _publish_loop(self) -> None:
        while True:
            await self._rows_wake.wait()
            self._rows_wake.clear()
            while self._rows:
                batch = [self._rows.popleft() for _ in range(min(PUBLISH_BATCH, len(self._rows)))]
                self._publishing = True
                try:
                    errors = await self._publish(batch)
                finally:
                    self._publishing = False
                if all(error is not None and broker_is_away(error) for error in errors):
                    self._rows.clear()  # they are in the outbox; the sweep has them when the broker is back

    async def _publish(self, rows: Sequence[Outgoing]) -> list[Exception | None]:
        """Publish and forget the confirmed ones; the error, or None, of each."""
        errors = await asyncio.gather(*(self._publish_one(row) for row in rows))
        self._confirmed += [row.id for row, error in zip(rows, errors, strict=True) if error is None]
        if self._confirmed:
            self._confirmed_wake.set()
        return errors

    async def _publish_one(self, row: Outgoing) -> Exception | None:
        try:
            await self._publisher.publish(
                exchange=row.exchange,
                routing_key=row.routing_key,
                wire_type=row.wire_type,
                body=row.body,
                meta=Meta.model_validate(row.meta),
            )
        except Exception as error:
            log.warning("outbox.publish_failed", wire_type=row.wire_type, error=str(error)[:300])
            return error
        return None

    async def _forget_loop(self) -> None:
        while True:
            await self._confirmed_wake.wait()
            await asyncio.sleep(FORGET_SECONDS)
            self._confirmed_wake.clear()
            await self._forget()

    async def _forget(self) -> None:
        """Delete what was confirmed; what stays the sweep publishes again, and consumers tolerate that."""
        ids = list(self._confirmed)
        try:
            if ids:
                await self._gate.run(lambda: self._delete(ids))
        except Exception as error:
            log.warning("outbox.delete_failed", error=str(error)[:300])
        del self._confirmed[: len(ids)]

    async def _delete(self, ids: Sequence[int]) -> None:
        async with direct_statement(engine_of(self._sessions)) as session:
            await session.execute(_DELETE, {"ids": list(ids)})

    async def _sweep_loop(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311
            try:
                while await self.sweep() == SWEEP_BATCH:
                    pass
            except Exception as error:
                if not is_outage(error):
                    log.exception("outbox.sweep_failed")

    async def sweep(self) -> int:
        """Take over due rows, publish them with no transaction open; how many there were.

        Raises an AMQP error, and leaves the rows as they are, while the broker cannot be reached.
        """
        await self._publisher.connect()
        async with self._sessions.begin() as session:
            due = (await session.execute(_SWEEP, {"limit": SWEEP_BATCH, "taken": TAKEN_SECONDS})).all()
        rows = [
            Outgoing(r.id, r.exchange, r.routing_key, r.wire_type, orjson.dumps(r.body), r.meta) for r in due
        ]
        errors = await self._publish(rows)
        nothing_went_out = None not in errors
        for row, error in zip(due, errors, strict=True):
            if error is not None:
                away = nothing_went_out and broker_is_away(error)
                await self._note_error(row.id, error, away=away, buried=row.attempts >= MAX_ATTEMPTS)
        return len(due)

    async def _note_error(self, row_id: int, cause: Exception, *, away: bool, buried: bool) -> None:
        error = f"{type(cause).__name__}: {cause}".replace("\0", "")[:1000]
        async with self._sessions.begin() as session:
            if away:
                await session.execute(_WAIT_FOR_BROKER, {"id": row_id, "error": error})
            elif buried:
                await session.execute(_BURY, {"id": row_id, "letter_id": uuid7(), "error": error})
                log.error("outbox.buried", row_id=row_id, error=error)
            else:
                await session.execute(_BACK_OFF, {"id": row_id, "error": error})

    async def _ring_loop(self) -> None:
        while True:
            await self._ring_wake.wait()
            self._ring_wake.clear()
            runs, self._runs = sorted(self._runs), set()
            for start in range(0, len(runs), RING_IDS):
                await self._ring(tuple(runs[start : start + RING_IDS]))
            await asyncio.sleep(RING_SECONDS)

    async def _ring(self, run_ids: tuple[UUID, ...]) -> None:
        event = RunsChanged(run_ids=run_ids)
        try:
            await self._publisher.publish(
                exchange=event.exchange,
                routing_key=event.routing_key,
                wire_type=event.wire_type,
                body=event.model_dump_json().encode(),
                meta=new_meta(principal="system"),
                durable=False,
            )
        except Exception as error:
            log.debug("outbox.ring_failed", error=str(error)[:300])
