"""Reading jobs and their versions."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.tables.jobs import JobRow, JobVersionRow
from gateway.sorting import Order


async def list_jobs(
    session: AsyncSession,
    project_id: UUID,
    *,
    name: str | None,
    active: bool | None,
    order: Order,
    limit: int,
) -> Sequence[Row[JobRow, str, str | None]]:
    """Jobs with their last editor and description; one more when there is a next page."""
    query = order.of(
        select(JobRow, JobVersionRow.created_by, JobVersionRow.definition["description"].astext)
        .join(
            JobVersionRow,
            (JobVersionRow.job_id == JobRow.id) & (JobVersionRow.version == JobRow.current_version),
        )
        .where(JobRow.project_id == project_id, JobRow.archived_at.is_(None))
        .limit(limit + 1),
        JobRow,
    )
    if name is not None:
        query = query.where(JobRow.name.icontains(name, autoescape=True))
    if active is not None:
        query = query.where(JobRow.active.is_(active))
    return (await session.execute(query)).all()


async def get_job(
    session: AsyncSession, project_id: UUID, job_id: UUID, *, to_change: bool = False
) -> JobRow:
    """The job, locked when it is `to_change`; raises `NotFound`."""
    query = select(JobRow).where(
        JobRow.id == job_id, JobRow.project_id == project_id, JobRow.archived_at.is_(None)
    )
    row = await session.scalar(query.with_for_update() if to_change else query)
    if row is None:
        raise NotFound.of("job", job_id)
    return row


async def get_version(session: AsyncSession, job_id: UUID, version: int) -> JobVersionRow:
    return await session.get_one(JobVersionRow, (job_id, version))


async def find_version(session: AsyncSession, job_id: UUID, version: int) -> JobVersionRow:
    """One version; raises `NotFound`."""
    row = await session.get(JobVersionRow, (job_id, version)) if 0 < version < 2**31 else None
    if row is None:
        raise NotFound.of("version", version)
    return row


async def get_job_with_definition(
    session: AsyncSession, project_id: UUID, job_id: UUID
) -> Row[JobRow, JobVersionRow]:
    """The job and its current version; raises `NotFound`."""
    row = (
        await session.execute(
            select(JobRow, JobVersionRow)
            .join(
                JobVersionRow,
                (JobVersionRow.job_id == JobRow.id) & (JobVersionRow.version == JobRow.current_version),
            )
            .where(JobRow.id == job_id, JobRow.project_id == project_id, JobRow.archived_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        raise NotFound.of("job", job_id)
    return row


async def list_versions(
    session: AsyncSession, job_id: UUID, *, below: int | None, limit: int
) -> Sequence[JobVersionRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = (
        select(JobVersionRow)
        .where(JobVersionRow.job_id == job_id)
        .order_by(JobVersionRow.version.desc())
        .limit(limit + 1)
    )
    if below is not None:
        query = query.where(JobVersionRow.version < below)
    return (await session.scalars(query)).all()
