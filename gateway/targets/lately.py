"""What ran last on targets, for lists: two index look-ups a target."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.runs.states import RunStatus, TaskState
from gateway.targets.schemas import LastRunView

_LAST = text("""
    SELECT asked.id AS target_id, runs.id, runs.job_id, jobs.name AS job_name, runs.status AS run_status,
           COALESCE(here.ended_at, here.started_at, runs.requested_at) AS at, here.states
      FROM unnest(CAST(:ids AS uuid[])) AS asked (id)
     CROSS JOIN LATERAL (
        SELECT run_id FROM tasks WHERE target_id = asked.id ORDER BY run_id DESC LIMIT 1) AS last
     CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT state) AS states, max(ended_at) AS ended_at, min(started_at) AS started_at
          FROM tasks WHERE target_id = asked.id AND run_id = last.run_id) AS here
      JOIN runs ON runs.id = last.run_id JOIN jobs ON jobs.id = runs.job_id
""")

_WORST_FIRST = (
    TaskState.FAILED,
    TaskState.TIMED_OUT,
    TaskState.UNKNOWN,
    TaskState.RUNNING,
    TaskState.READY,
    TaskState.PENDING,
    TaskState.CANCELLED,
    TaskState.SUCCEEDED,
    TaskState.SKIPPED,
)


def worst_of(states: Collection[str]) -> TaskState:
    """The state that says most about tasks in these: what failed first, what went well last."""
    return next(state for state in _WORST_FIRST if state in states)


async def last_runs(session: AsyncSession, target_ids: Collection[UUID]) -> dict[UUID, LastRunView]:
    """For each target that anything ever ran on."""
    if not target_ids:
        return {}
    rows = await session.execute(_LAST, {"ids": list(target_ids)})
    return {
        row.target_id: LastRunView(
            id=row.id,
            job_id=row.job_id,
            job_name=row.job_name,
            status=worst_of(row.states),
            run_status=RunStatus(row.run_status),
            at=row.at,
        )
        for row in rows
    }
