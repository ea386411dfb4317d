"""Job rows as clients see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.yamltext import as_yaml
from contracts.tables.jobs import JobRow, JobVersionRow
from gateway.access.queries import names_of
from gateway.jobs.lately import NOTHING, LatelyView, lately
from gateway.jobs.schemas import JobDetail, JobVersionDetail, JobVersionView, JobView
from gateway.jobs.written import as_written


async def views_of(session: AsyncSession, rows: Sequence[Row[JobRow, str, str | None]]) -> list[JobView]:
    """Jobs with how their runs went lately; rows of (job, last editor, description)."""
    names = await names_of(session, (editor for _, editor, _ in rows))
    recent = await lately(session, [job.id for job, _, _ in rows])
    return [
        JobView(**_fields(job, editor, description, names, recent.get(job.id, NOTHING)))
        for job, editor, description in rows
    ]


async def detail_of(session: AsyncSession, row: JobRow, version: JobVersionRow) -> JobDetail:
    """One job with its current definition."""
    names = await names_of(session, [version.created_by])
    recent = await lately(session, [row.id])
    described = version.definition.get("description")
    return JobDetail(
        **_fields(row, version.created_by, described, names, recent.get(row.id, NOTHING)),
        definition=as_written(version.definition, version.source),
        source=version.source,
    )


def version_view(row: JobVersionRow, current: int, names: Mapping[str, str]) -> JobVersionView:
    """A version in a list."""
    return JobVersionView(**_version(row, current, names))


def version_detail(row: JobVersionRow, current: int, names: Mapping[str, str]) -> JobVersionDetail:
    """A version with its text."""
    text = row.source if row.source is not None else as_yaml(row.definition)
    return JobVersionDetail(**_version(row, current, names), text=text, authored=row.source is not None)


def _version(row: JobVersionRow, current: int, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "version": row.version,
        "current": row.version == current,
        "definition": as_written(row.definition, row.source),
        "message": row.message,
        "created_by": row.created_by,
        "created_by_name": names.get(row.created_by),
        "created_at": row.created_at,
    }


def _fields(
    row: JobRow, editor: str, description: str | None, names: Mapping[str, str], recent: LatelyView
) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": description,
        "active": row.active,
        "inactive_reason": row.inactive_reason,
        "labels": row.labels,
        "version": row.current_version,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "updated_by": editor,
        "updated_by_name": names.get(editor),
        "lately": recent,
    }
