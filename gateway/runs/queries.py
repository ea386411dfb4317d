"""Reading runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.runs.states import RunStatus, TaskState
from contracts.tables.jobs import JobRow
from contracts.tables.runs import RunRow, RunSecretRow, TaskRow
from gateway.access.queries import names_of
from gateway.runs.schemas import SHOWN_SECRET, RunDetail, RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """All that are given must fit. `target` is a name that one of the run's tasks has."""

    job_id: UUID | None = None
    status: Sequence[RunStatus] = ()
    target: str | None = None


def _select_runs(project_id: UUID) -> Select[RunRow, str]:
    return (
        select(RunRow, JobRow.name)
        .join(JobRow, JobRow.id == RunRow.job_id)
        .where(RunRow.project_id == project_id)
    )


async def list_runs(
    session: AsyncSession, project_id: UUID, wanted: RunFilter, *, after: UUID | None, limit: int
) -> list[RunView]:
    """Newest first; one more than `limit` when there is a next page."""
    query = _select_runs(project_id).order_by(RunRow.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(RunRow.id < after)
    if wanted.job_id is not None:
        query = query.where(RunRow.job_id == wanted.job_id)
    if wanted.status:
        query = query.where(RunRow.status.in_([status.value for status in wanted.status]))
    if wanted.target is not None:
        query = query.where(exists().where(TaskRow.run_id == RunRow.id, TaskRow.target_name == wanted.target))
    rows = (await session.execute(query)).all()
    names = await names_of(session, (run.requested_by for run, _ in rows))
    return [RunView(**_fields(run, job_name, names)) for run, job_name in rows]


async def find_run(session: AsyncSession, project_id: UUID, run_id: UUID) -> Row[RunRow, str]:
    """The run and its job's name; raises `NotFound`."""
    row = (await session.execute(_select_runs(project_id).where(RunRow.id == run_id))).one_or_none()
    if row is None:
        raise NotFound.of("run", run_id)
    return row


async def get_run(session: AsyncSession, project_id: UUID, run_id: UUID) -> RunDetail:
    """Everything about one run but its output; raises `NotFound`."""
    run, job_name = await find_run(session, project_id, run_id)
    names = await names_of(session, [run.requested_by])
    secrets = await session.scalars(select(RunSecretRow.name).where(RunSecretRow.run_id == run_id))
    counts = await session.execute(
        select(TaskRow.state, func.count()).where(TaskRow.run_id == run_id).group_by(TaskRow.state)
    )
    return RunDetail(
        **_fields(run, job_name, names),
        parameters=run.parameters | dict.fromkeys(secrets, SHOWN_SECRET),
        targets=run.targets,
        correlation_id=run.correlation_id,
        rerun_of=run.rerun_of,
        cancel_requested_by=run.cancel_requested_by,
        tasks={TaskState(state): count for state, count in counts},
    )


def _fields(run: RunRow, job_name: str, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": run.id,
        "job_id": run.job_id,
        "job_name": job_name,
        "job_version": run.job_version,
        "status": RunStatus(run.status),
        "requested_by": run.requested_by,
        "requested_by_name": names.get(run.requested_by),
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "cancel_requested_at": run.cancel_requested_at,
        "parked_by": run.parked_by,
        "reason": run.reason,
        "tally": run.tally,
    }
