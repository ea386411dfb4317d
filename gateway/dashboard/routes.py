"""The first page: what runs, what went wrong lately, what waits for a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from contracts.access.roles import Permission
from contracts.runs.states import RunStatus
from gateway.deps import Caller, Reading
from gateway.permissions import OpsRoute, needs
from gateway.runs.failures import PATTERN
from infra.clock import now
from infra.ids import first_id_at

router = APIRouter(prefix="/api/v1", tags=["dashboard"], route_class=OpsRoute)

DAY_SECONDS = 86_400
COUNTED_RUNS = 100_000
COUNTED_FAILURES = 20_000
SHOWN_CAUSES = 20

_RUNS = text(f"""
    SELECT status, count(*) AS count FROM (
        SELECT status FROM runs WHERE project_id = :project AND id >= :since ORDER BY id DESC
         LIMIT {COUNTED_RUNS}) AS latest GROUP BY status
""")  # noqa: S608  (a constant)
_OPEN = text("""
    SELECT status, count(*) AS count FROM runs
     WHERE project_id = :project AND ended_at IS NULL GROUP BY status
""")
_CAUSES = text(f"""
    SELECT code, pattern, count(*) AS tasks, count(DISTINCT run_id) AS runs, max(ended_at) AS last_at,
           min(message) AS message, (array_agg(run_id ORDER BY ended_at DESC))[1] AS last_run_id
      FROM (SELECT t.run_id, t.ended_at, t.error ->> 'code' AS code, t.error ->> 'message' AS message,
                   {PATTERN} AS pattern
              FROM tasks AS t JOIN runs ON runs.id = t.run_id AND runs.project_id = :project
             WHERE t.state IN ('failed', 'timed_out', 'unknown') AND t.ended_at > now() - interval '24 hours'
             ORDER BY t.ended_at DESC LIMIT {COUNTED_FAILURES}) AS bad
     GROUP BY code, pattern ORDER BY count(*) DESC LIMIT {SHOWN_CAUSES}
""")  # noqa: S608  (constants and our own expression)
_NUMBERS = text("""
    SELECT (SELECT count(*) FROM tasks AS t JOIN runs ON runs.id = t.run_id AND runs.project_id = :project
             WHERE t.state = 'unknown' AND t.ended_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM resolutions AS r WHERE r.task_id = t.id)) AS unresolved,
           (SELECT count(*) FROM dead_letters WHERE status = 'open') AS dead_letters,
           (SELECT count(*) FROM workers WHERE released_at IS NULL AND lease_until > now()) AS workers_alive,
           (SELECT count(*) FROM workers
             WHERE released_at IS NULL AND lease_until <= now()) AS workers_silent,
           (SELECT COALESCE(sum(slots), 0) FROM workers
             WHERE released_at IS NULL AND lease_until > now() AND 'executor' = ANY(roles)) AS slots,
           (SELECT count(*) FROM tasks WHERE state = 'running' AND worker_id IS NOT NULL) AS slots_used
""")
_BACKLOG = text("""
    SELECT pool, count(*) AS tasks,
           greatest(0, extract(epoch FROM now() - min(not_before)))::float8 AS oldest_seconds
      FROM tasks WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool ORDER BY pool
""")
_TARGETS = text("""
    SELECT COALESCE(last.status, 'untested') AS status, count(*) AS count
      FROM targets AS g LEFT JOIN LATERAL (
               SELECT status FROM connection_tests
                WHERE target_id = g.id AND NOT unsaved AND ended_at IS NOT NULL
                ORDER BY id DESC LIMIT 1) AS last ON true
     WHERE g.project_id = :project AND g.archived_at IS NULL GROUP BY 1
""")


class CauseView(BaseModel):
    """Tasks of the last 24 h that went wrong alike."""

    code: str | None
    pattern: str
    message: str | None
    tasks: int
    runs: int
    last_at: datetime
    last_run_id: UUID


class PoolBacklog(BaseModel):
    pool: str
    tasks: int
    oldest_seconds: float


class StatsView(BaseModel):
    """`runs_24h` counts at most the newest 100,000 runs; `unresolved` tasks wait for a person to say how they
    ended; `targets` counts them by the outcome of their last connection test."""

    runs_24h: dict[RunStatus, int]
    runs_open: dict[RunStatus, int]
    causes: list[CauseView]
    unresolved: int
    dead_letters: int
    workers_alive: int
    workers_silent: int
    slots: int
    slots_used: int
    backlog: list[PoolBacklog]
    targets: dict[str, int]
    read_at: datetime


@router.get("/stats")
@needs(Permission.RUNS_READ)
async def get_stats(session: Reading, caller: Caller) -> StatsView:
    """Everything the first page shows, in seven indexed queries."""
    moment = now()
    since = first_id_at(datetime.fromtimestamp(moment.timestamp() - DAY_SECONDS, moment.tzinfo))
    about: dict[str, Any] = {"project": caller.project_id}

    async def counts(statement: Any, **more: Any) -> dict[str, int]:
        return {row[0]: row[1] for row in await session.execute(statement, about | more)}

    numbers = (await session.execute(_NUMBERS, about)).mappings().one()
    return StatsView(
        runs_24h=await counts(_RUNS, since=since),
        runs_open=await counts(_OPEN),
        causes=[CauseView(**row) for row in (await session.execute(_CAUSES, about)).mappings()],
        backlog=[PoolBacklog(**row) for row in (await session.execute(_BACKLOG)).mappings()],
        targets=await counts(_TARGETS),
        read_at=moment,
        **numbers,
    )
