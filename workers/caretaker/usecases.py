"""What keeps the house in order: lost workers, dead letters, old rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.targets.seats import SSH_OF_WINDOWS
from infra.database import Statements
from infra.ids import uuid7
from infra.partitions import ensure_partitions
from infra.unit_of_work import OpenPlainUnitOfWork
from workers import leases

EXPIRED_AT_ONCE = 20

_PARK = {
    "run": text("UPDATE runs SET parked_by = :letter WHERE id = :subject AND ended_at IS NULL"),
    "connection_test": text(
        "UPDATE connection_tests SET parked_by = :letter WHERE id = :subject AND status = 'requested'"
    ),
}

log = structlog.get_logger()


async def release_expired_workers(open_uow: OpenPlainUnitOfWork) -> int:
    """Take the tasks of workers whose lease has run out, so that others re-attach; how many workers."""
    async with open_uow() as uow:
        lost = await leases.expired(uow.session, limit=EXPIRED_AT_ONCE)
        for worker_id in lost:
            tasks = await leases.release(uow, worker_id, reason="lease expired", lost=True)
            log.warning("worker.lost", worker_id=str(worker_id), tasks=tasks)
    return len(lost)


async def free_forgotten_seats(session: AsyncSession) -> None:
    """Places at targets that their executor did not give back after the attempt had ended (an outage).

    Nobody has seen after what such an attempt left on its target: executors are asked to.
    """
    await session.execute(
        text("""
            WITH freed AS (
                DELETE FROM seats AS s WHERE NOT EXISTS (
                    SELECT 1 FROM attempts AS a
                     WHERE a.task_id = s.task_id AND a.number = s.attempt
                       AND (a.ended_at IS NULL OR a.ended_at > now() - interval '2 minutes'))
                   AND NOT EXISTS (
                    SELECT 1 FROM connection_tests AS c
                     WHERE c.id = s.task_id AND c.tries = s.attempt AND c.status = 'running')
                   AND NOT EXISTS (
                    SELECT 1 FROM left_behind AS l
                     WHERE l.task_id = s.task_id AND l.attempt = s.attempt AND l.next_at > now())
                RETURNING s.*)
            INSERT INTO left_behind (task_id, attempt, target_id, account, protocol, tries, why, next_at)
            SELECT f.task_id, f.attempt, f.target_id, f.account,
                   CASE WHEN f.place > :ssh_of_windows OR g.os <> 'windows' THEN 'ssh' ELSE 'winrm' END,
                   0, 'nobody was there to clear up', now()
              FROM freed AS f JOIN targets AS g ON g.id = f.target_id
             WHERE EXISTS (SELECT 1 FROM attempts AS a WHERE a.task_id = f.task_id AND a.number = f.attempt)
            ON CONFLICT DO NOTHING
        """),
        {"ssh_of_windows": SSH_OF_WINDOWS},
    )


async def tidy(session: AsyncSession) -> None:
    """Make the coming months' partitions and forget what has served its time."""
    await ensure_partitions(session)
    for statement in (
        "DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'",
        "DELETE FROM sessions WHERE expires_at < now() - interval '7 days'",
        "DELETE FROM handler_failures WHERE occurred_at < now() - interval '30 days'",
        "DELETE FROM workers WHERE released_at < now() - interval '7 days'",
        """DELETE FROM connection_tests AS old WHERE ended_at < now() - interval '30 days' AND EXISTS (
             SELECT 1 FROM connection_tests AS newer
              WHERE newer.target_id = old.target_id AND newer.id > old.id)""",
    ):
        await session.execute(text(statement))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadMessage:
    """A message as it came out of the dead-letter queue."""

    queue: str
    exchange: str
    routing_key: str
    wire_type: str | None
    message_id: UUID | None
    reason: str
    attempts: int
    body: bytes
    headers: Mapping[str, Any]


def subject_of(message: DeadMessage) -> tuple[str, UUID] | None:
    """The run or connection test that a message speaks of, as far as its body can be read."""
    for kind, field in (("run", "run_id"), ("connection_test", "test_id")):
        try:
            return kind, UUID(orjson.loads(message.body)[field])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


async def keep_dead_letters(messages: Sequence[DeadMessage], *, open_uow: OpenPlainUnitOfWork) -> None:
    """Store dead messages with their story and park what they speak of."""
    async with open_uow() as uow:
        for message in messages:
            await _keep(uow.session, message)


async def _keep(session: Statements, message: DeadMessage) -> None:
    letter_id = uuid7()
    subject = subject_of(message)
    await session.execute(
        text("""
            INSERT INTO dead_letters (id, queue, exchange, routing_key, wire_type, body, headers, reason,
                                      first_error, last_error, attempts, subject_kind, subject_id)
            SELECT :id, :queue, :exchange, :routing_key, :wire_type, :body, CAST(:headers AS jsonb), :reason,
                   (SELECT error FROM handler_failures WHERE message_id = :message_id
                     ORDER BY id LIMIT 1),
                   (SELECT error FROM handler_failures WHERE message_id = :message_id
                     ORDER BY id DESC LIMIT 1),
                   :attempts, :subject_kind, :subject_id
        """),
        {
            "id": letter_id,
            "queue": message.queue,
            "exchange": message.exchange,
            "routing_key": message.routing_key,
            "wire_type": message.wire_type,
            "body": message.body,
            "headers": _storable(message.headers),
            "reason": message.reason,
            "message_id": message.message_id,
            "attempts": message.attempts,
            "subject_kind": subject[0] if subject else None,
            "subject_id": subject[1] if subject else None,
        },
    )
    if subject is not None:
        await session.execute(_PARK[subject[0]], {"letter": letter_id, "subject": subject[1]})
    log.error("dead_letter.kept", letter_id=str(letter_id), queue=message.queue, reason=message.reason)


def _storable(headers: Mapping[str, Any]) -> str:
    return orjson.dumps(headers, default=str).decode().replace("\\u0000", "\\u2400")
