"""Credentials."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Permission
from contracts.credentials.types import CredentialType
from contracts.tables.credentials import CredentialRow
from gateway.credentials import queries, service
from gateway.credentials.queries import CredentialFilter
from gateway.credentials.schemas import (
    CredentialChange,
    CredentialCreate,
    CredentialRotate,
    CredentialView,
    HoldView,
    ReleaseRequest,
    UsedBy,
)
from gateway.deps import Caller, Deps, Key, Reading, Who, Writing
from gateway.etags import IfMatch
from gateway.history import ChangeView, read_history
from gateway.paging import Cursor, Limit, Page, page
from gateway.permissions import OpsRoute, needs
from gateway.sorting import Order, Sort

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"], route_class=OpsRoute)

NameQuery = Annotated[str | None, Query(max_length=253, description="part of the name, or of the user name")]
HeldQuery = Annotated[bool | None, Query(description="whether it is on hold, everywhere or on some target")]


@router.post("", status_code=201)
@needs(Permission.CREDENTIALS_WRITE)
async def create_credential(
    *, body: CredentialCreate, uow: Writing, who: Who, deps: Deps, key: Key, response: Response
) -> CredentialView:
    """Store a credential. Its secrets are sealed at once; nobody can read them back here."""
    row = await service.create_credential(uow, who, body, sealer=deps.sealer, key=key)
    response.headers["location"] = f"{router.prefix}/{row.id}"
    return await _shown(uow.session, row, response)


@router.get("")
@needs(Permission.CREDENTIALS_READ)
async def list_credentials(
    *,
    session: Reading,
    caller: Caller,
    name: NameQuery = None,
    type: CredentialType | None = None,
    held: HeldQuery = None,
    sort: Sort = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CredentialView]:
    """What anyone may know of credentials; secrets are never shown."""
    wanted, order = CredentialFilter(name=name, type=type, held=held), Order(sort, cursor)
    rows = await queries.list_credentials(session, caller.project_id, wanted, order, limit=limit)
    holds, used = await queries.holds_of(session, rows), await queries.users_of(session, rows)
    return page(
        rows,
        limit,
        lambda row: _view(row, holds.get(row.id, ()), used[row.id]),
        order.cursor,
    )


@router.get("/{credential_id}")
@needs(Permission.CREDENTIALS_READ)
async def get_credential(
    credential_id: UUID, session: Reading, caller: Caller, response: Response
) -> CredentialView:
    row = await queries.get_credential(session, caller.project_id, credential_id)
    return await _shown(session, row, response)


@router.get("/{credential_id}/history")
@needs(Permission.CREDENTIALS_READ)
async def list_credential_changes(
    *, credential_id: UUID, session: Reading, caller: Caller, limit: Limit = 20, cursor: Cursor = None
) -> Page[ChangeView]:
    """Who changed what of it and when, the newest first. Of secrets only that they were replaced."""
    row = await queries.get_credential(session, caller.project_id, credential_id)
    return await read_history(session, "credential", row.id, cursor=cursor, limit=limit)


@router.put("/{credential_id}")
@needs(Permission.CREDENTIALS_WRITE)
async def change_credential(
    *,
    credential_id: UUID,
    body: CredentialChange,
    uow: Writing,
    who: Who,
    deps: Deps,
    response: Response,
    if_match: IfMatch = None,
) -> CredentialView:
    """Change what is given; secrets make a new version."""
    row = await service.change_credential(
        uow, who, credential_id, body, sealer=deps.sealer, if_match=if_match
    )
    return await _shown(uow.session, row, response)


@router.post("/{credential_id}/rotate")
@needs(Permission.CREDENTIALS_WRITE)
async def rotate_credential(
    *, credential_id: UUID, body: CredentialRotate, uow: Writing, who: Who, deps: Deps, response: Response
) -> CredentialView:
    """Replace the secrets by new ones; a hold on the old ones ends."""
    row = await service.rotate_credential(uow, who, credential_id, body, sealer=deps.sealer)
    return await _shown(uow.session, row, response)


@router.post("/{credential_id}/release")
@needs(Permission.CREDENTIALS_WRITE)
async def release_credential(
    credential_id: UUID, body: ReleaseRequest, uow: Writing, who: Who, response: Response
) -> CredentialView:
    """Let a held credential be tried again with the same secrets."""
    return await _shown(
        uow.session, await service.release_credential(uow, who, credential_id, body), response
    )


@router.delete("/{credential_id}", status_code=204)
@needs(Permission.CREDENTIALS_WRITE)
async def delete_credential(
    *,
    credential_id: UUID,
    uow: Writing,
    who: Who,
    if_match: IfMatch = None,
    force: Annotated[
        bool, Query(description="also while targets or jobs need it: targets are left without, steps fail")
    ] = False,
) -> None:
    """Take a credential out of use; refused while targets or steps of jobs need it, unless forced."""
    await service.archive_credential(uow, who, credential_id, if_match=if_match, force=force)


async def _shown(
    session: AsyncSession, row: CredentialRow, response: Response | None = None
) -> CredentialView:
    if response is not None:
        response.headers["etag"] = service.tag_of(row)
    holds, used = await queries.holds_of(session, [row]), await queries.users_of(session, [row])
    return _view(row, holds.get(row.id, ()), used[row.id])


def _view(row: CredentialRow, holds: Sequence[HoldView], used_by: UsedBy) -> CredentialView:
    return CredentialView(
        id=row.id,
        name=row.name,
        type=CredentialType(row.type),
        username=row.username,
        labels=row.labels,
        version=row.current_version,
        held_reason=row.held_reason,
        held_at=row.held_at,
        holds=list(holds),
        used_by=used_by,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
