"""Jobs and their versions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from contracts.access.roles import Permission
from contracts.tables.jobs import JobRow, JobVersionRow
from gateway.deps import Caller, Key, Reading, Who, Writing
from gateway.etags import IfMatch
from gateway.jobs import queries, service
from gateway.jobs.schemas import JobDetail, JobVersionView, JobView
from gateway.paging import Cursor, Limit, Page, encode_cursor, int_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], route_class=OpsRoute)

Document = Annotated[
    dict[str, Any],
    Body(description="A job definition, or `{name, definition, active}`; JSON or YAML (application/yaml)."),
]


@router.post("", status_code=201)
@needs(Permission.JOBS_WRITE)
async def create_job(body: Document, uow: Writing, who: Who, key: Key, response: Response) -> JobDetail:
    """Save a job. Everything that could not run is refused now, with field and line."""
    row, version = await service.create_job(uow, who, body, key=key)
    response.headers["location"] = f"{router.prefix}/{row.id}"
    return _detail(row, version, response)


@router.get("")
@needs(Permission.JOBS_READ)
async def list_jobs(
    *,
    session: Reading,
    caller: Caller,
    name: Annotated[str | None, Query(max_length=200, description="part of the name")] = None,
    active: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JobView]:
    rows = await queries.list_jobs(
        session, caller.project_id, name=name, active=active, after=uuid_cursor(cursor), limit=limit
    )
    return page(rows, limit, _view, lambda row: encode_cursor(row.id))


@router.get("/{job_id}")
@needs(Permission.JOBS_READ)
async def get_job(job_id: UUID, session: Reading, caller: Caller, response: Response) -> JobDetail:
    row, version = await queries.get_job_with_definition(session, caller.project_id, job_id)
    return _detail(row, version, response)


@router.put("/{job_id}")
@needs(Permission.JOBS_WRITE)
async def change_job(
    *, job_id: UUID, body: Document, uow: Writing, who: Who, response: Response, if_match: IfMatch = None
) -> JobDetail:
    """Save a new version; runs under way keep the one they started with."""
    row, version = await service.change_job(uow, who, job_id, body, if_match=if_match)
    return _detail(row, version, response)


@router.delete("/{job_id}", status_code=204)
@needs(Permission.JOBS_WRITE)
async def delete_job(job_id: UUID, uow: Writing, who: Who, if_match: IfMatch = None) -> None:
    """Archive a job; its runs stay."""
    await service.archive_job(uow, who, job_id, if_match=if_match)


@router.get("/{job_id}/versions")
@needs(Permission.JOBS_READ)
async def list_versions(
    job_id: UUID, session: Reading, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[JobVersionView]:
    job = await queries.get_job(session, caller.project_id, job_id)
    below = int_cursor(cursor, 1)
    rows = await queries.list_versions(
        session, job.id, below=min(below[0], job.current_version) if below else None, limit=limit
    )
    return page(rows, limit, _version, lambda row: encode_cursor(row.version))


def _view(row: JobRow) -> JobView:
    return JobView(
        id=row.id,
        name=row.name,
        active=row.active,
        version=row.current_version,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _detail(row: JobRow, version: JobVersionRow, response: Response) -> JobDetail:
    response.headers["etag"] = service.tag_of(row)
    return JobDetail(**_view(row).model_dump(), definition=version.definition)


def _version(row: JobVersionRow) -> JobVersionView:
    return JobVersionView(
        version=row.version,
        definition=row.definition,
        created_by=row.created_by,
        created_at=row.created_at,
    )
