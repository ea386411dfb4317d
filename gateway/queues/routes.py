"""What the broker holds."""

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import topology
from contracts.access.roles import Permission
from contracts.errors import Unavailable
from gateway.deps import Deps, QueueDepth, Reading
from gateway.permissions import OpsRoute, needs
from gateway.queues.flow import SAMPLE_SECONDS, STILL, Flow, read_flow

router = APIRouter(prefix="/api/v1/queues", tags=["queues"], route_class=OpsRoute)

_POOLS = text("""
    WITH alive AS (SELECT id, pools FROM workers
                    WHERE released_at IS NULL AND lease_until > now() AND 'executor' = ANY(roles)),
    waiting AS (SELECT pool, count(*) AS ready, min(not_before) AS oldest FROM tasks
                 WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool),
    held AS (SELECT pool, count(*) AS running FROM tasks
              WHERE state = 'running' AND worker_id IS NOT NULL GROUP BY pool)
    SELECT pool, COALESCE(ready, 0) AS ready, COALESCE(running, 0) AS running,
           CASE WHEN oldest IS NOT NULL
                THEN greatest(0, extract(epoch FROM now() - oldest))::float8 END AS oldest_seconds,
           (SELECT count(*) FROM alive WHERE pool = ANY(alive.pools)) AS executors
      FROM (SELECT DISTINCT pool FROM targets WHERE archived_at IS NULL
            UNION SELECT unnest(pools) FROM alive UNION SELECT pool FROM waiting
            UNION SELECT pool FROM held) AS known (pool)
      LEFT JOIN waiting USING (pool) LEFT JOIN held USING (pool)
     ORDER BY pool
""")
_OLDEST = text("""
    SELECT queue, greatest(0, extract(epoch FROM now() - since))::float8 AS seconds FROM (
        SELECT CAST(:start AS text) AS queue, min(requested_at) AS since FROM runs
         WHERE status = 'requested' AND parked_by IS NULL
        UNION ALL
        SELECT CAST(:advance AS text), min(ended_at) FROM tasks WHERE unplanned
        UNION ALL
        SELECT CAST(:execute AS text) || '.' || pool, min(not_before) FROM tasks
         WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool
        UNION ALL
        SELECT CAST(:test AS text) || '.' || pool, min(requested_at) FROM connection_tests
         WHERE status = 'requested' AND parked_by IS NULL GROUP BY pool) AS marks
     WHERE since IS NOT NULL
""")
_MARKED = {
    "start": topology.START_RUN.name,
    "advance": topology.ADVANCE_RUN.name,
    "execute": topology.EXECUTE_TASKS.name,
    "test": topology.TEST_CONNECTIONS.name,
}
"""Queues whose messages have a mark in the database that tells since when it waits."""
_WITH_WORK = {topology.START_RUN.name}
_WITH_WORK_BY_POOL = (f"{topology.EXECUTE_TASKS.name}.", f"{topology.TEST_CONNECTIONS.name}.")
"""Queues behind whose messages stands work that begins at a moment of its own."""


class QueueView(BaseModel):
    """`depth` counts messages nobody has taken; both numbers are null for a queue that does not exist.

    `oldest_seconds`: for how long the oldest work behind such messages has waited, as the database says; it
    also knows of work whose message was lost; null when none waits, or for a queue without such work.
    `arriving` and `begun`: pieces of that work per minute over the last five; null for a queue without.
    `depths`: what it held every `sample_seconds` of the last hour, the oldest first; null: nobody knows.
    """

    name: str
    depth: int | None
    consumers: int | None
    oldest_seconds: float | None
    arriving: float | None
    begun: float | None
    depths: list[int | None]


class PoolView(BaseModel):
    """Tasks of one pool that could start now, the age of the oldest, and who serves the pool."""

    pool: str
    ready: int
    oldest_seconds: float | None
    running: int
    executors: int


class QueueList(BaseModel):
    """What the broker holds, and beside it what the database says waits: that is the backlog to look at."""

    items: list[QueueView]
    pools: list[PoolView]
    sample_seconds: float
    next_cursor: None = None


@router.get("")
@needs(Permission.SYSTEM_READ)
async def list_queues(deps: Deps, session: Reading) -> QueueList:
    """Every durable queue as the broker counts it now, and the backlog of every pool."""
    try:
        depths = await deps.queue_depths()
    except (OSError, TimeoutError) as error:
        raise Unavailable("The broker cannot be reached just now; runs go on, slower.") from error
    pools = (await session.execute(_POOLS)).mappings()
    oldest, flow = await _oldest(session), await read_flow(session)
    items = [_view(queue, oldest, flow, deps.depth_history.of(queue.name)) for queue in depths]
    return QueueList(items=items, pools=[PoolView(**row) for row in pools], sample_seconds=SAMPLE_SECONDS)


def _view(
    queue: QueueDepth, oldest: Mapping[str, float], flow: Mapping[str, Flow], depths: list[int | None]
) -> QueueView:
    has_work = queue.name in _WITH_WORK or queue.name.startswith(_WITH_WORK_BY_POOL)
    moving = flow.get(queue.name, STILL) if has_work else None
    return QueueView(
        name=queue.name,
        depth=queue.depth,
        consumers=queue.consumers,
        oldest_seconds=oldest.get(queue.name),
        arriving=None if moving is None else moving.arriving,
        begun=None if moving is None else moving.begun,
        depths=depths,
    )


async def _oldest(session: AsyncSession) -> dict[str, float]:
    """Seconds the oldest work of a queue has waited, for queues with any."""
    rows = await session.execute(_OLDEST, _MARKED)
    return {row.queue: row.seconds for row in rows}
