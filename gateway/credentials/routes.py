"""Credentials."""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.access.roles import Permission
from contracts.credentials.types import CredentialType
from contracts.tables.credentials import CredentialRow
from gateway.credentials import queries, service
from gateway.credentials.schemas import (
    CredentialChange,
    CredentialCreate,
    CredentialRotate,
    CredentialView,
)
from gateway.deps import Caller, Deps, Key, Reading, Who, Writing
from gateway.etags import IfMatch
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"], route_class=OpsRoute)


@router.post("", status_code=201)
@needs(Permission.CREDENTIALS_WRITE)
async def create_credential(
    *, body: CredentialCreate, uow: Writing, who: Who, deps: Deps, key: Key, response: Response
) -> CredentialView:
    """Store a credential. Its secrets are sealed at once; nobody can read them back here."""
    row = await service.create_credential(uow, who, body, sealer=deps.sealer, key=key)
    response.headers["location"] = f"{router.prefix}/{row.id}"
    return _view(row, response)


@router.get("")
@needs(Permission.CREDENTIALS_READ)
async def list_credentials(
    session: Reading, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[CredentialView]:
    rows = await queries.list_credentials(session, caller.project_id, after=uuid_cursor(cursor), limit=limit)
    return page(rows, limit, _view, lambda row: encode_cursor(row.id))


@router.get("/{credential_id}")
@needs(Permission.CREDENTIALS_READ)
async def get_credential(
    credential_id: UUID, session: Reading, caller: Caller, response: Response
) -> CredentialView:
    return _view(await queries.get_credential(session, caller.project_id, credential_id), response)


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
    return _view(row, response)


@router.post("/{credential_id}/rotate")
@needs(Permission.CREDENTIALS_WRITE)
async def rotate_credential(
    *, credential_id: UUID, body: CredentialRotate, uow: Writing, who: Who, deps: Deps, response: Response
) -> CredentialView:
    """Replace the secrets by new ones."""
    return _view(await service.rotate_credential(uow, who, credential_id, body, sealer=deps.sealer), response)


@router.delete("/{credential_id}", status_code=204)
@needs(Permission.CREDENTIALS_WRITE)
async def delete_credential(credential_id: UUID, uow: Writing, who: Who, if_match: IfMatch = None) -> None:
    """Take a credential out of use; refused while targets need it."""
    await service.archive_credential(uow, who, credential_id, if_match=if_match)


def _view(row: CredentialRow, response: Response | None = None) -> CredentialView:
    if response is not None:
        response.headers["etag"] = service.tag_of(row)
    return CredentialView(
        id=row.id,
        name=row.name,
        type=CredentialType(row.type),
        username=row.username,
        version=row.current_version,
        held_reason=row.held_reason,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
