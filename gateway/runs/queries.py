"""Reading runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.jobs.definition import step_name
from contracts.runs.states import RunStatus, RunTrigger, TaskState
from contracts.tables.jobs import JobRow
from contracts.tables.runs import RunRow, RunSecretRow, TaskRow
from contracts.targets.choosing import TargetQuery
from gateway.access.queries import names_of
from gateway.jobs.definitions import Definitions
from gateway.runs.filters import RunFilter, narrowed
from gateway.runs.naming import parameter_names
from gateway.runs.progress import progress_from_tasks, progress_of, running_tasks, targets_count
from gateway.runs.schemas import SHOWN_SECRET, ProgressView, RunDetail, RunView

_SLIM = (
    RunRow.id,
    RunRow.job_id,
    RunRow.job_version,
    RunRow.status,
    RunRow.trigger,
    RunRow.requested_by,
    RunRow.requested_at,
    RunRow.started_at,
    RunRow.ended_at,
    RunRow.correlation_id,
    RunRow.rerun_of,
    RunRow.cancel_requested_at,
    RunRow.parked_by,
    RunRow.reason,
)


def _select_slim(project_id: UUID) -> Select[Any]:
    columns: Sequence[Any] = (
        *_SLIM,
        RunRow.tally,
        func.cardinality(RunRow.targets).label("chosen"),
        JobRow.name.label("job_name"),
        func.now().label("read_at"),
    )
    return select(*columns).join(JobRow, JobRow.id == RunRow.job_id).where(RunRow.project_id == project_id)


async def list_runs(
    session: AsyncSession,
    definitions: Definitions,
    project_id: UUID,
    wanted: RunFilter,
    *,
    after: UUID | None,
    limit: int,
) -> list[RunView]:
    """Newest first; one more than `limit` when there is a next page."""
    query = _select_slim(project_id).order_by(RunRow.id.desc()).limit(limit + 1)
    rows = (await session.execute(await narrowed(session, query, project_id, wanted, after=after))).all()
    return await views_of(session, definitions, rows)


async def runs_by_id(
    session: AsyncSession, definitions: Definitions, project_id: UUID, run_ids: Sequence[UUID]
) -> list[RunView]:
    """Those of the runs that exist, newest first."""
    query = _select_slim(project_id).where(RunRow.id.in_(run_ids)).order_by(RunRow.id.desc())
    return await views_of(session, definitions, (await session.execute(query)).all())


async def views_of(
    session: AsyncSession, definitions: Definitions, rows: Sequence[Row[Any]]
) -> list[RunView]:
    """What is shown of slim rows."""
    names = await names_of(session, (row.requested_by for row in rows))
    held = await running_tasks(session, [row.id for row in rows if row.ended_at is None and row.tally])
    known = await definitions.load(session, {(row.job_id, row.job_version) for row in rows})
    return [
        RunView(
            **_fields(row, names, row.read_at),
            job_name=row.job_name,
            progress=progress_of(row.tally, running=held.get(row.id, 0)),
            targets_count=targets_count(known[row.job_id, row.job_version], row.chosen, row.tally),
        )
        for row in rows
    ]


async def find_run(session: AsyncSession, project_id: UUID, run_id: UUID) -> Row[RunRow, str]:
    """The run and its job's name; raises `NotFound`."""
    row = (
        await session.execute(
            select(RunRow, JobRow.name)
            .join(JobRow, JobRow.id == RunRow.job_id)
            .where(RunRow.project_id == project_id, RunRow.id == run_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound.of("run", run_id)
    return row


async def get_run(
    session: AsyncSession, definitions: Definitions, project_id: UUID, run_id: UUID
) -> RunDetail:
    """Everything about one run but its output; raises `NotFound`."""
    run, job_name = await find_run(session, project_id, run_id)
    chosen = chosen_targets(run)
    definition = await definitions.one(session, run.job_id, run.job_version)
    names = await names_of(session, [run.requested_by, run.cancel_requested_by or ""])
    secrets = await secret_names(session, run_id)
    tasks, read_at = await _count_tasks(session, run_id)
    progress = progress_from_tasks(tasks) if tasks else ProgressView()
    first = run.from_step
    return RunDetail(
        **_fields(run, names, read_at),
        job_name=job_name,
        progress=progress,
        targets_count=targets_count(definition, None if run.targets is None else len(run.targets), run.tally),
        parameters=run.parameters | dict.fromkeys(secrets, SHOWN_SECRET),
        parameter_names=await parameter_names(session, run, definition),
        secrets=secrets,
        targets=chosen if isinstance(chosen, TargetQuery | None) else list(chosen),
        only_targets=run.only_targets,
        from_step=None if first is None else step_name(definition.steps[first], first),
        cancel_requested_by=run.cancel_requested_by,
        cancel_requested_by_name=names.get(run.cancel_requested_by or ""),
        tally=run.tally,
        tasks=tasks,
    )


def chosen_targets(run: RunRow) -> tuple[str, ...] | TargetQuery | None:
    """What was chosen for this run in place of the job's own targets."""
    if run.target_query is not None:
        return TargetQuery.model_validate(run.target_query)
    return tuple(run.targets) if run.targets is not None else None


async def current_version(session: AsyncSession, job_id: UUID) -> int | None:
    """The version that new runs of the job follow."""
    version: int | None = await session.scalar(select(JobRow.current_version).where(JobRow.id == job_id))
    return version


async def secret_names(session: AsyncSession, run_id: UUID) -> list[str]:
    """The secret parameters this run holds sealed."""
    names = select(RunSecretRow.name).where(RunSecretRow.run_id == run_id).order_by(RunSecretRow.name)
    return list(await session.scalars(names))


async def _count_tasks(session: AsyncSession, run_id: UUID) -> tuple[dict[TaskState, int], datetime]:
    counts = await session.execute(
        select(TaskRow.state, func.count()).where(TaskRow.run_id == run_id).group_by(TaskRow.state)
    )
    read_at: datetime = (await session.execute(select(func.now()))).scalar_one()
    return {TaskState(state): count for state, count in counts}, read_at


def _fields(run: RunRow | Row[Any], names: Mapping[str, str], read_at: datetime) -> dict[str, Any]:
    began = run.started_at
    return {column.key: getattr(run, column.key) for column in _SLIM} | {
        "status": RunStatus(run.status),
        "trigger": RunTrigger(run.trigger),
        "requested_by_name": names.get(run.requested_by),
        "duration_seconds": None
        if began is None
        else max(0.0, ((run.ended_at or read_at) - began).total_seconds()),
    }
