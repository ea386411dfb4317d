"""Worker processes, and what waits for them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Permission
from gateway.deps import Caller, Reading
from gateway.permissions import OpsRoute, needs
from gateway.principals import Principal

router = APIRouter(prefix="/api/v1", tags=["workers"], route_class=OpsRoute)

SHOWN = 500
TASKS_SHOWN = 20

_WORKERS = text("""
    SELECT w.id, w.roles, w.pools, w.slots, w.host, w.pid, w.version, w.started_at, w.lease_until,
           w.lease_until > now() AS alive, w.draining_at,
           CASE WHEN w.lease_until <= now() THEN 'stale' WHEN w.draining_at IS NOT NULL THEN 'draining'
                ELSE 'serving' END AS state,
           (SELECT count(*) FROM tasks WHERE worker_id = w.id AND state = 'running') AS running,
           (SELECT count(*) FROM seats WHERE worker_id = w.id) AS seats,
           (SELECT COALESCE(jsonb_agg(held.task), '[]') FROM (
               SELECT jsonb_build_object('task_id', t.id, 'run_id', t.run_id, 'job_name', jobs.name,
                                         'target', t.target_name, 'started_at', t.started_at) AS task
                 FROM tasks AS t JOIN runs ON runs.id = t.run_id JOIN jobs ON jobs.id = runs.job_id
                WHERE t.worker_id = w.id AND t.state = 'running' AND runs.project_id = :project
                ORDER BY t.started_at LIMIT :held) AS held) AS tasks
      FROM workers AS w
     WHERE w.released_at IS NULL AND (CAST(:role AS text) IS NULL OR :role = ANY(w.roles))
     ORDER BY w.id DESC LIMIT :shown
""")
_READY = text("""
    SELECT pool, count(*) AS tasks, extract(epoch FROM now() - min(not_before)) AS oldest_seconds
      FROM tasks WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool ORDER BY pool
""")


class HeldTask(BaseModel):
    """What a worker carries out just now."""

    task_id: UUID
    run_id: UUID
    job_name: str
    target: str | None
    started_at: datetime | None


class WorkerView(BaseModel):
    """`state`: `draining` was told to end and takes no more work; `stale` let its lease run out, and nobody
    has taken over yet what it held. `running` counts the tasks it holds, `tasks` are the first 20 of those in
    the caller's project; `seats` are the sessions it has open on targets."""

    id: UUID
    roles: list[str]
    pools: list[str]
    slots: int
    host: str
    pid: int
    version: str
    started_at: datetime
    lease_until: datetime
    alive: bool
    state: Literal["serving", "draining", "stale"]
    draining_at: datetime | None
    running: int
    seats: int
    tasks: list[HeldTask]


class BacklogView(BaseModel):
    """Tasks of one pool that could start now."""

    pool: str
    tasks: int
    oldest_seconds: float


class WorkerStatus(BaseModel):
    """`healthy` when at least one process is alive."""

    healthy: bool
    workers: list[WorkerView]
    backlog: list[BacklogView]


@router.get("/worker/status")
@needs(Permission.SYSTEM_READ)
async def worker_status(session: Reading, caller: Caller) -> WorkerStatus:
    """Every worker process that has not ended, and the backlog of each pool."""
    return await _status(session, caller, None)


@router.get("/executor/status")
@needs(Permission.SYSTEM_READ)
async def executor_status(session: Reading, caller: Caller) -> WorkerStatus:
    """The executors, and the backlog of each pool."""
    return await _status(session, caller, "executor")


async def _status(session: AsyncSession, caller: Principal, role: str | None) -> WorkerStatus:
    about = {"role": role, "shown": SHOWN, "held": TASKS_SHOWN, "project": caller.project_id}
    rows = await session.execute(_WORKERS, about)
    workers = [WorkerView(**row) for row in rows.mappings()]
    backlog = [BacklogView(**row) for row in (await session.execute(_READY)).mappings()]
    return WorkerStatus(healthy=any(worker.alive for worker in workers), workers=workers, backlog=backlog)
