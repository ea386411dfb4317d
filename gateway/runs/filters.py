"""Which runs somebody wants to see or act on, and how the database finds them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.runs.states import RunStatus
from contracts.tables.jobs import JobRow
from contracts.tables.runs import RunRow, TaskRow
from contracts.tables.targets import TargetRow
from infra.ids import first_id_at

UNHAPPY = frozenset({RunStatus.FAILED, RunStatus.PARTIAL, RunStatus.CANCELLED, RunStatus.UNKNOWN})
_IDS_APART = timedelta(minutes=1)
"""How far the time in a run's id, given by a gateway, may lie from the database's own."""
_ID_PART = re.compile(r"[0-9a-f]{4,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """All that are given must fit. `q` is a part of the job's name or the beginning of the run's id."""

    job_id: UUID | None = None
    status: Sequence[RunStatus] = ()
    target: str | None = None
    target_id: UUID | None = None
    requested_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None


async def narrowed(
    session: AsyncSession, query: Select[Any], project_id: UUID, wanted: RunFilter, *, after: UUID | None
) -> Select[Any]:
    """`query` over runs, with the conditions of `wanted` in the form that has an index."""
    if after is not None:
        query = query.where(RunRow.id < after)
    if wanted.job_id is not None:
        query = query.where(RunRow.job_id == wanted.job_id)
    if wanted.status:
        query = query.where(*_status(wanted.status))
    if wanted.requested_by is not None:
        query = query.where(RunRow.requested_by == wanted.requested_by)
    if wanted.since is not None:
        query = query.where(
            RunRow.id >= first_id_at(wanted.since - _IDS_APART), RunRow.requested_at >= wanted.since
        )
    if wanted.until is not None:
        query = query.where(
            RunRow.id < first_id_at(wanted.until + _IDS_APART), RunRow.requested_at < wanted.until
        )
    if wanted.q:
        query = query.where(await _named(session, project_id, wanted.q))
    if wanted.target_id is not None:
        query = query.where(RunRow.id.in_(_with_tasks_on([wanted.target_id], after)))
    if wanted.target is not None:
        query = query.where(RunRow.id.in_(await _touching(session, project_id, wanted.target, after)))
    return query


def _status(wanted: Sequence[RunStatus]) -> list[ColumnElement[bool]]:
    """With the words in the statement itself: only so can PostgreSQL prove that a partial index serves."""
    conditions = [_among("statuses", wanted)]
    if UNHAPPY.issuperset(wanted):
        conditions.append(_among("unhappy", UNHAPPY))
    elif not any(status in UNHAPPY or status is RunStatus.SUCCEEDED for status in wanted):
        conditions.append(RunRow.ended_at.is_(None))
    return conditions


def _among(name: str, statuses: Iterable[RunStatus]) -> ColumnElement[bool]:
    words: BindParameter[list[str]] = bindparam(
        name, sorted({status.value for status in statuses}), expanding=True, literal_execute=True
    )
    return RunRow.status.in_(words)


async def _named(session: AsyncSession, project_id: UUID, q: str) -> ColumnElement[bool]:
    """Jobs are looked up first: there are few of them, and runs are found by job."""
    jobs = await session.scalars(
        select(JobRow.id).where(
            JobRow.project_id == project_id, JobRow.name.icontains(q.strip(), autoescape=True)
        )
    )
    fits: list[ColumnElement[bool]] = [RunRow.job_id.in_(jobs.all())]
    part = q.strip().lower().replace("-", "")
    if _ID_PART.fullmatch(part):
        fits.append(RunRow.id.between(UUID(part.ljust(32, "0")), UUID(part.ljust(32, "f"))))
    return or_(*fits)


async def _touching(session: AsyncSession, project_id: UUID, target: str, after: UUID | None) -> Select[UUID]:
    """Runs with a task on the target of this name, also one that is out of use by now."""
    targets = await session.scalars(
        select(TargetRow.id).where(TargetRow.project_id == project_id, TargetRow.name == target)
    )
    return _with_tasks_on(targets.all(), after)


def _with_tasks_on(targets: Sequence[UUID], after: UUID | None) -> Select[UUID]:
    runs = select(TaskRow.run_id).where(TaskRow.target_id.in_(targets))
    return runs.where(TaskRow.run_id < after) if after is not None else runs
