"""Targets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts.access.roles import Permission
from contracts.tables.targets import TargetOs, TargetRow
from contracts.targets.specs import SshSettings, WinrmSettings
from gateway.deps import Caller, Key, Reading, Who, Writing
from gateway.etags import IfMatch
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from gateway.targets import queries, service
from gateway.targets.queries import TargetFilter
from gateway.targets.schemas import TargetSpec, TargetView

router = APIRouter(prefix="/api/v1/targets", tags=["targets"], route_class=OpsRoute)

TagQuery = Annotated[list[str], Query(max_length=20, description="`name` or `name=value`; repeatable")]
NameQuery = Annotated[str | None, Query(alias="name", max_length=253, description="part of the name")]
NameLike = Annotated[str | None, Query(alias="name~", max_length=253, description="the same as `name`")]


@router.post("", status_code=201)
@needs(Permission.TARGETS_WRITE)
async def create_target(body: TargetSpec, uow: Writing, who: Who, key: Key, response: Response) -> TargetView:
    """Add a machine."""
    row = await service.create_target(uow, who, body, key=key)
    response.headers["location"] = f"{router.prefix}/{row.id}"
    return _view(row, response)


@router.get("")
@needs(Permission.TARGETS_READ)
async def list_targets(
    *,
    session: Reading,
    caller: Caller,
    os: TargetOs | None = None,
    pool: Annotated[str | None, Query(max_length=32)] = None,
    name: NameQuery = None,
    name_like: NameLike = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    tag: TagQuery = [],  # noqa: B006  (FastAPI copies it)
) -> Page[TargetView]:
    wanted = TargetFilter(os=os, tag=tag, name=name_like or name, pool=pool)
    rows = await queries.list_targets(
        session, caller.project_id, wanted, after=uuid_cursor(cursor), limit=limit
    )
    return page(rows, limit, _view, lambda row: encode_cursor(row.id))


@router.get("/{target_id}")
@needs(Permission.TARGETS_READ)
async def get_target(target_id: UUID, session: Reading, caller: Caller, response: Response) -> TargetView:
    return _view(await queries.get_target(session, caller.project_id, target_id), response)


@router.put("/{target_id}")
@needs(Permission.TARGETS_WRITE)
async def replace_target(
    *, target_id: UUID, body: TargetSpec, uow: Writing, who: Who, response: Response, if_match: IfMatch = None
) -> TargetView:
    """Replace the target's description; what is left out goes back to its default."""
    return _view(await service.replace_target(uow, who, target_id, body, if_match=if_match), response)


@router.delete("/{target_id}", status_code=204)
@needs(Permission.TARGETS_WRITE)
async def delete_target(target_id: UUID, uow: Writing, who: Who, if_match: IfMatch = None) -> None:
    """Take a target out of use; its past runs stay."""
    await service.archive_target(uow, who, target_id, if_match=if_match)


def _view(row: TargetRow, response: Response | None = None) -> TargetView:
    if response is not None:
        response.headers["etag"] = service.tag_of(row)
    return TargetView(
        id=row.id,
        name=row.name,
        os=TargetOs(row.os),
        hostname=row.hostname,
        credential_id=row.credential_id,
        tags=row.tags,
        pool=row.pool,
        winrm=WinrmSettings.model_validate(row.winrm),
        ssh=SshSettings.model_validate(row.ssh),
        version=row.version,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
