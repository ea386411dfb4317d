"""How the runs of jobs went lately, for lists: a few rows per job, found by index."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.runs.states import RunStatus

DOTS = 10
COUNTED = 50

_LATELY = text(f"""
    SELECT asked.id AS job_id, r.recent, r.ended, r.succeeded, r.p50, r.p95
      FROM unnest(CAST(:jobs AS uuid[])) AS asked (id),
           LATERAL (
               SELECT jsonb_agg(jsonb_build_object('id', id, 'status', status) ORDER BY id DESC)
                          FILTER (WHERE place <= {DOTS}) AS recent,
                      count(ended_at) AS ended, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
                      percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
                      percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
                 FROM (SELECT id, status, ended_at, row_number() OVER (ORDER BY id DESC) AS place,
                              extract(epoch FROM ended_at - started_at)::float8 AS seconds
                         FROM (SELECT id, status, started_at, ended_at FROM runs
                                WHERE job_id = asked.id ORDER BY id DESC LIMIT {COUNTED}) AS latest
                      ) AS numbered
           ) AS r
""")  # noqa: S608  (two constants)


class RunDot(BaseModel):
    id: UUID
    status: RunStatus


class LatelyView(BaseModel):
    """Of the last fifty runs; seconds from start to end of those that have ended."""

    runs: list[RunDot]
    """The last ten, the newest first."""
    ended: int
    succeeded: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None


NOTHING = LatelyView(runs=[], ended=0, succeeded=0, success_rate=None, p50_seconds=None, p95_seconds=None)


async def lately(session: AsyncSession, job_ids: Sequence[UUID]) -> Mapping[UUID, LatelyView]:
    """For each of the jobs."""
    if not job_ids:
        return {}
    rows = await session.execute(_LATELY, {"jobs": list(job_ids)})
    return {row.job_id: _view(row) for row in rows}


def _view(row: Any) -> LatelyView:
    return LatelyView(
        runs=row.recent or [],
        ended=row.ended,
        succeeded=row.succeeded,
        success_rate=row.succeeded / row.ended if row.ended else None,
        p50_seconds=row.p50,
        p95_seconds=row.p95,
    )
