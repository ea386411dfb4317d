"""Worker processes, and what waits for them."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Permission
from gateway.deps import Reading
from gateway.permissions import OpsRoute, needs

router = APIRouter(prefix="/api/v1", tags=["workers"], route_class=OpsRoute)

SHOWN = 500

_WORKERS = text("""
    SELECT w.id, w.roles, w.pools, w.slots, w.host, w.pid, w.version, w.started_at, w.lease_until,
           w.lease_until > now() AS alive,
           (SELECT count(*) FROM tasks WHERE worker_id = w.id AND state = 'running') AS running
      FROM workers AS w
     WHERE w.released_at IS NULL AND (CAST(:role AS text) IS NULL OR :role = ANY(w.roles))
     ORDER BY w.id DESC LIMIT :shown
""")
_READY = text("""
    SELECT pool, count(*) AS tasks, extract(epoch FROM now() - min(not_before)) AS oldest_seconds
      FROM tasks WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool ORDER BY pool
""")


class WorkerView(BaseModel):
    """`alive` while its lease runs; `running` counts the tasks it holds."""

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
    running: int


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
async def worker_status(session: Reading) -> WorkerStatus:
    """Every worker process that has not ended, and the backlog of each pool."""
    return await _status(session, None)


@router.get("/executor/status")
@needs(Permission.SYSTEM_READ)
async def executor_status(session: Reading) -> WorkerStatus:
    """The executors, and the backlog of each pool."""
    return await _status(session, "executor")


async def _status(session: AsyncSession, role: str | None) -> WorkerStatus:
    rows = await session.execute(_WORKERS, {"role": role, "shown": SHOWN})
    workers = [WorkerView(**row) for row in rows.mappings()]
    backlog = [BacklogView(**row) for row in (await session.execute(_READY)).mappings()]
    return WorkerStatus(healthy=any(worker.alive for worker in workers), workers=workers, backlog=backlog)
