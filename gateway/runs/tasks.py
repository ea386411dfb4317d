"""One task with every attempt at it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.jobs.definition import step_name
from contracts.runs.states import TaskState
from gateway.access.queries import names_of
from gateway.jobs.definitions import Definitions
from gateway.runs.schemas import ResolutionView, StepError
from gateway.runs.steps import error_of
from gateway.runs.waiting import SESSIONS, WAITING, waiting_for

_TASK = text(f"""
    SELECT t.id, t.run_id, t.step_no, t.target_id, t.target_name, t.state, t.attempt, t.worker_id,
           t.exit_code, t.error, t.started_at, t.ended_at, t.parked_by, t.fence,
           runs.job_id, runs.job_version, jobs.name AS job_name,
           r.verdict, r.reason, r.resolved_by, r.resolved_at,
           {WAITING}
      FROM tasks AS t JOIN runs ON runs.id = t.run_id JOIN jobs ON jobs.id = runs.job_id
      LEFT JOIN resolutions AS r ON r.task_id = t.id
      {SESSIONS}
     WHERE t.id = :task_id AND runs.project_id = :project_id
""")  # noqa: S608  (our own columns)
_ATTEMPTS = text("""
    SELECT a.number, a.state, a.worker_id, w.host AS worker_host, a.started_at, a.ended_at, a.exit_code,
           a.error, a.outputs, a.reattached, a.losses, a.truncated, a.output_incomplete, a.target_version,
           a.credential_id, a.credential_version, c.name AS credential_name,
           a.handle IS NOT NULL AS may_have_acted
      FROM attempts AS a
      LEFT JOIN workers AS w ON w.id = a.worker_id
      LEFT JOIN credentials AS c ON c.id = a.credential_id
     WHERE a.task_id = :task_id ORDER BY a.number
""")


class AttemptView(BaseModel):
    """One try. `may_have_acted`: the target was reached so far that a command could have begun there.
    `reattached` counts take-overs by another executor, `losses` workers that were lost meanwhile."""

    number: int
    state: TaskState
    worker_id: UUID
    worker_host: str | None
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    error: StepError | None
    outputs: dict[str, Any] | None
    may_have_acted: bool
    reattached: int
    losses: int
    truncated: bool
    output_incomplete: bool
    target_version: int | None
    credential_id: UUID | None
    credential_name: str | None
    credential_version: int | None


class TaskDetail(BaseModel):
    """One step on one target, and everything that was tried."""

    task_id: UUID
    run_id: UUID
    job_id: UUID
    job_name: str
    step: str
    type: str
    target: str | None
    target_id: UUID | None
    pool: str
    state: TaskState
    attempt: int
    max_attempts: int
    delivery: Literal["at_most_once", "at_least_once"]
    timeout_seconds: float
    exit_code: int | None
    error: StepError | None
    started_at: datetime | None
    ended_at: datetime | None
    not_before: datetime
    waiting_for: str | None
    parked_by: UUID | None
    resolution: ResolutionView | None
    resolved_by_name: str | None
    attempts: list[AttemptView]


async def get_task(
    session: AsyncSession, definitions: Definitions, project_id: UUID, task_id: UUID
) -> TaskDetail:
    """The task; raises `NotFound`."""
    row = (await session.execute(_TASK, {"task_id": task_id, "project_id": project_id})).one_or_none()
    if row is None:
        raise NotFound.of("task", task_id)
    definition = await definitions.one(session, row.job_id, row.job_version)
    step = definition.steps[row.step_no]
    attempts = (await session.execute(_ATTEMPTS, {"task_id": task_id})).all()
    names = await names_of(session, [row.resolved_by or ""])
    return TaskDetail(
        task_id=row.id,
        run_id=row.run_id,
        job_id=row.job_id,
        job_name=row.job_name,
        step=step_name(step, row.step_no),
        type=step.type,
        target=row.target_name,
        target_id=row.target_id,
        pool=row.pool,
        state=TaskState(row.state),
        attempt=row.attempt,
        max_attempts=step.retry.attempts,
        delivery=step.delivery,
        timeout_seconds=step.timeout_sec,
        exit_code=row.exit_code,
        error=error_of(row.error),
        started_at=row.started_at,
        ended_at=row.ended_at,
        not_before=row.not_before,
        waiting_for=waiting_for(row),
        parked_by=row.parked_by,
        resolution=_resolution(row),
        resolved_by_name=names.get(row.resolved_by or ""),
        attempts=[_attempt(attempt) for attempt in attempts],
    )


def _resolution(row: Row[Any]) -> ResolutionView | None:
    if row.verdict is None:
        return None
    return ResolutionView(
        task_id=row.id,
        verdict=row.verdict,
        reason=row.reason,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
    )


def _attempt(row: Row[Any]) -> AttemptView:
    fields = row._asdict() | {"state": TaskState(row.state), "error": error_of(row.error)}
    return AttemptView(**fields)
