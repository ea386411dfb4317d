"""Worker rows: one per process start, kept alive by heartbeats, released exactly once.

Releasing takes every running task from the worker and raises its fence, so that nothing the worker says
afterwards counts. A claim locks the worker's row for key share and a release locks it for update: a claim
either commits before the release looks for tasks, or finds the lease gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.causes import CAUSES
from contracts.limits import TASKS_PER_MESSAGE
from contracts.runs.messages import ExecuteTasks
from contracts.targets.messages import TestConnection
from contracts.targets.testing import ConnectionTestStatus
from infra.database import Statements
from infra.unit_of_work import PlainUnitOfWork, new_meta

TEST_TRIES = 3
"""Executors that may begin one connection test: one that kills its workers must come to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """What a worker says of itself."""

    id: UUID
    roles: Sequence[str]
    pools: Sequence[str]
    slots: int
    host: str
    pid: int
    version: str


async def register(session: Statements, facts: WorkerFacts, *, lease_seconds: float) -> None:
    """Insert the worker's row with a fresh lease."""
    await session.execute(
        text("""
            INSERT INTO workers (id, roles, pools, slots, host, pid, version, lease_until)
            VALUES (:id, :roles, :pools, :slots, :host, :pid, :version,
                    now() + make_interval(secs => :lease))
            ON CONFLICT (id) DO NOTHING
        """),
        {
            "id": facts.id,
            "roles": list(facts.roles),
            "pools": list(facts.pools),
            "slots": facts.slots,
            "host": facts.host,
            "pid": facts.pid,
            "version": facts.version,
            "lease": lease_seconds,
        },
    )


async def renew(session: Statements, worker_id: UUID, *, lease_seconds: float) -> bool:
    """Renew a lease that has not run out, by database time. False: it has, and never comes back."""
    renewed = await session.scalar(
        text("""
            UPDATE workers SET lease_until = now() + make_interval(secs => :lease)
             WHERE id = :id AND lease_until > now() AND released_at IS NULL
            RETURNING true
        """),
        {"id": worker_id, "lease": lease_seconds},
    )
    return bool(renewed)


async def draining(session: Statements, worker_id: UUID) -> None:
    """Note that the worker takes no more work; for people to see."""
    await session.execute(
        text("UPDATE workers SET draining_at = now() WHERE id = :id AND draining_at IS NULL"),
        {"id": worker_id},
    )


async def expired(session: Statements, *, limit: int) -> list[UUID]:
    """Workers whose lease has run out and whose tasks nobody has taken yet; locked."""
    rows = await session.scalars(
        text("""
            SELECT id FROM workers WHERE released_at IS NULL AND lease_until < now()
             ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
        """),
        {"limit": limit},
    )
    return list(rows)


async def release(uow: PlainUnitOfWork, worker_id: UUID, *, reason: str, lost: bool = False) -> int:
    """Take the worker's running tasks from it and offer them for re-attachment; how many there were.

    `lost` counts against their attempts: a step that kills its workers must come to an end.
    """
    await uow.session.execute(text("SELECT 1 FROM workers WHERE id = :id FOR UPDATE"), {"id": worker_id})
    await uow.session.execute(
        text("""
            UPDATE workers SET released_at = now(), release_reason = :reason
             WHERE id = :id AND released_at IS NULL
        """),
        {"id": worker_id, "reason": reason},
    )
    rows = await uow.session.execute(
        text("""
            WITH taken AS (
                UPDATE tasks SET worker_id = NULL, fence = fence + 1
                 WHERE id IN (SELECT id FROM tasks WHERE worker_id = :id AND state = 'running'
                               ORDER BY id FOR UPDATE)
                RETURNING id, run_id, pool, attempt),
            counted AS (
                UPDATE attempts SET losses = losses + 1 FROM taken
                 WHERE :lost AND attempts.task_id = taken.id AND attempts.number = taken.attempt)
            SELECT id, run_id, pool FROM taken
        """),
        {"id": worker_id, "lost": lost},
    )
    taken: dict[tuple[UUID, str], list[UUID]] = {}
    for row in rows:
        taken.setdefault((row.run_id, row.pool), []).append(row.id)
    meta = new_meta(principal="system")
    for (run_id, pool), ids in taken.items():
        for start in range(0, len(ids), TASKS_PER_MESSAGE):
            chunk = tuple(ids[start : start + TASKS_PER_MESSAGE])
            uow.emit(
                ExecuteTasks(run_id=run_id, pool=pool, task_ids=chunk),
                new_meta(principal="system", cause=meta),
            )
    await _release_seats(uow, worker_id)
    await _release_tests(uow, worker_id)
    return sum(len(ids) for ids in taken.values())


async def _release_seats(uow: PlainUnitOfWork, worker_id: UUID) -> None:
    """Sessions of connection tests. Those of attempts stay taken until somebody has been there after it.

    Where a command runs on that is who takes it over, where it has ended who clears up after the worker.
    """
    await uow.session.execute(
        text("""
            DELETE FROM seats AS s
             WHERE s.worker_id = :id AND NOT EXISTS (
                   SELECT 1 FROM attempts AS a WHERE a.task_id = s.task_id AND a.number = s.attempt)
        """),
        {"id": worker_id},
    )


async def _release_tests(uow: PlainUnitOfWork, worker_id: UUID) -> None:
    """Tests may be repeated: they are begun again, unless they seem to be what kills their workers."""
    cause = CAUSES["worker_lost"]
    detail = f"the {TEST_TRIES}th over one test"
    error = {"code": cause.code, "message": cause.message.format(detail=detail), "hint": "Test again."}
    rows = await uow.session.execute(
        text("""
            UPDATE connection_tests
               SET worker_id = NULL,
                   status = CASE WHEN tries < :tries THEN 'requested' ELSE 'failed' END,
                   ended_at = CASE WHEN tries >= :tries THEN now() END,
                   error = CASE WHEN tries >= :tries THEN CAST(:error AS jsonb) END
             WHERE worker_id = :id AND status = 'running'
            RETURNING id, pool, status, requested_by, correlation_id
        """),
        {"id": worker_id, "tries": TEST_TRIES, "error": orjson.dumps(error).decode()},
    )
    for row in rows:
        if row.status == ConnectionTestStatus.REQUESTED:
            meta = new_meta(principal=row.requested_by, correlation_id=row.correlation_id)
            uow.emit(TestConnection(test_id=row.id, pool=row.pool), meta)
