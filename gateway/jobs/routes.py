"""Jobs and their versions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response

from contracts.access.roles import Permission
from contracts.jobs.schema import schema_text
from contracts.jobs.yamltext import as_yaml
from contracts.tables.jobs import JobRow, JobVersionRow
from gateway.access.queries import names_of
from gateway.deps import Caller, Key, Reading, Who, Writing
from gateway.etags import IfMatch
from gateway.jobs import queries, service, views
from gateway.jobs.checks import check_definition, unwrap
from gateway.jobs.schemas import (
    DeactivateBody,
    JobDetail,
    JobVersionDetail,
    JobVersionView,
    JobView,
    PreviewBody,
)
from gateway.jobs.uses import JobUses, uses_of
from gateway.jobs.validating import TargetsPreview, ValidationView, preview_targets, validate
from gateway.paging import Cursor, Limit, Page, encode_cursor, int_cursor, page
from gateway.permissions import YAML_TYPES, OpsRoute, needs, wants_yaml, yaml_source
from gateway.sorting import Order, Sort
from infra.unit_of_work import UnitOfWork

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], route_class=OpsRoute)
schemas_router = APIRouter(prefix="/api/v1/schemas", tags=["jobs"], route_class=OpsRoute)

Document = Annotated[
    dict[str, Any],
    Body(
        description="A definition, or `{name, definition, source, active, labels}` with its YAML text as "
        "`source`; JSON or YAML (application/yaml)."
    ),
]
Message = Annotated[str | None, Query(max_length=500, description="why this version is saved")]
_TEXT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.post("", status_code=201)
@needs(Permission.JOBS_WRITE)
async def create_job(
    *,
    body: Document,
    uow: Writing,
    who: Who,
    key: Key,
    request: Request,
    response: Response,
    message: Message = None,
) -> JobDetail:
    """Save a job. Everything that could not run is refused now, with field and line."""
    row, version = await service.create_job(
        uow, who, body, key=key, source=yaml_source(request), message=message
    )
    response.headers["location"] = f"{router.prefix}/{row.id}"
    return await _detail(uow, row, version, response)


@router.get("")
@needs(Permission.JOBS_READ)
async def list_jobs(
    *,
    session: Reading,
    caller: Caller,
    name: Annotated[str | None, Query(max_length=200, description="part of the name")] = None,
    active: bool | None = None,
    sort: Sort = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JobView]:
    """Jobs with how their runs went lately."""
    order = Order(sort, cursor)
    rows = await queries.list_jobs(
        session, caller.project_id, name=name, active=active, order=order, limit=limit
    )
    shown = await views.views_of(session, rows)
    return page(shown, limit, lambda view: view, order.cursor)


@router.post("/validate", openapi_extra=_TEXT_BODY)
@needs(Permission.JOBS_READ)
async def validate_job(request: Request, session: Reading, caller: Caller) -> ValidationView:
    """Check a document as saving it would, and say where in its text each problem stands."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = await request.body()
    return await validate(session, caller.project_id, text, is_yaml=media_type in YAML_TYPES)


@router.post("/preview-targets")
@needs(Permission.JOBS_READ)
async def preview_job_targets(body: PreviewBody, session: Reading, caller: Caller) -> TargetsPreview:
    """What each step of a definition would run on if it started now."""
    document = unwrap(body.definition).document
    definition = check_definition(document)
    return await preview_targets(session, caller.project_id, definition, body.targets)


@router.get("/{job_id}", responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}})
@needs(Permission.JOBS_READ)
async def get_job(
    job_id: UUID, session: Reading, caller: Caller, request: Request, response: Response
) -> JobDetail:
    """A job; with `Accept: application/yaml` its definition as text, comments and all if it had any."""
    row, version = await queries.get_job_with_definition(session, caller.project_id, job_id)
    if wants_yaml(request):
        text = version.source if version.source is not None else as_yaml(version.definition)
        headers = {"etag": service.tag_of(row)}
        return Response(text, media_type="application/yaml", headers=headers)  # type: ignore[return-value]
    response.headers["etag"] = service.tag_of(row)
    return await views.detail_of(session, row, version)


@router.put("/{job_id}")
@needs(Permission.JOBS_WRITE)
async def change_job(
    *,
    job_id: UUID,
    body: Document,
    uow: Writing,
    who: Who,
    request: Request,
    response: Response,
    message: Message = None,
    if_match: IfMatch = None,
) -> JobDetail:
    """Save a new version; runs under way keep the one they started with."""
    row, version = await service.change_job(
        uow, who, job_id, body, if_match=if_match, source=yaml_source(request), message=message
    )
    return await _detail(uow, row, version, response)


@router.post("/{job_id}/activate")
@needs(Permission.JOBS_WRITE)
async def activate_job(job_id: UUID, uow: Writing, who: Who, response: Response) -> JobDetail:
    """Let it run again."""
    row, version = await service.set_active(uow, who, job_id, active=True, reason=None)
    return await _detail(uow, row, version, response)


@router.post("/{job_id}/deactivate")
@needs(Permission.JOBS_WRITE)
async def deactivate_job(
    job_id: UUID, body: DeactivateBody, uow: Writing, who: Who, response: Response
) -> JobDetail:
    """Refuse runs from now on, telling this reason; who may change it may still start it by hand."""
    row, version = await service.set_active(uow, who, job_id, active=False, reason=body.reason)
    return await _detail(uow, row, version, response)


@router.delete("/{job_id}", status_code=204)
@needs(Permission.JOBS_WRITE)
async def delete_job(job_id: UUID, uow: Writing, who: Who, if_match: IfMatch = None) -> None:
    """Archive a job; its runs stay."""
    await service.archive_job(uow, who, job_id, if_match=if_match)


@router.get("/{job_id}/uses")
@needs(Permission.JOBS_READ)
async def list_job_uses(job_id: UUID, session: Reading, caller: Caller) -> JobUses:
    """What refers to it: runs by version, and kept filters that show its runs."""
    job = await queries.get_job(session, caller.project_id, job_id)
    return await uses_of(session, caller, job.id)


@router.get("/{job_id}/versions")
@needs(Permission.JOBS_READ)
async def list_versions(
    job_id: UUID, session: Reading, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[JobVersionView]:
    """Every version there was, the newest first."""
    job = await queries.get_job(session, caller.project_id, job_id)
    below = int_cursor(cursor, 1)
    rows = await queries.list_versions(
        session, job.id, below=min(below[0], job.current_version) if below else None, limit=limit
    )
    names = await names_of(session, (row.created_by for row in rows))
    return page(
        rows,
        limit,
        lambda row: views.version_view(row, job.current_version, names),
        lambda row: encode_cursor(row.version),
    )


@router.get("/{job_id}/versions/{version}")
@needs(Permission.JOBS_READ)
async def get_job_version(job_id: UUID, version: int, session: Reading, caller: Caller) -> JobVersionDetail:
    """One version with its text."""
    job = await queries.get_job(session, caller.project_id, job_id)
    row = await queries.find_version(session, job.id, version)
    return views.version_detail(row, job.current_version, await names_of(session, [row.created_by]))


@schemas_router.get("/job.json", response_class=Response)
@needs(Permission.PUBLIC)
async def get_job_schema() -> Response:
    """The JSON Schema (2020-12) of a job definition, for editors."""
    return Response(schema_text(), media_type="application/schema+json")


async def _detail(uow: UnitOfWork, row: JobRow, version: JobVersionRow, response: Response) -> JobDetail:
    response.headers["etag"] = service.tag_of(row)
    return await views.detail_of(uow.session, row, version)
