"""Artifacts: files for steps, and files from steps."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.requests import ClientDisconnect

from contracts.access.roles import Permission
from contracts.errors import OpsError
from contracts.tables.artifacts import ArtifactOrigin, ArtifactRow
from gateway.artifacts import queries, service
from gateway.artifacts.digests import expected_sha256, sha256_of
from gateway.artifacts.downloads import download
from gateway.artifacts.schemas import ArtifactName, ArtifactView, Digest, Sha256, Upload
from gateway.deps import Caller, Deps, Reading, Who, Writing
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from infra.artifact_pulls import use_pull

PREFIX = "/api/v1/artifacts"
PLAIN = "application/octet-stream"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD = {"requestBody": {"required": True, "content": {"*/*": _BYTES}}}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {"content": {PLAIN: _BYTES}},
    206: {"content": {PLAIN: _BYTES}},
}


class UploadBrokeOff(OpsError):
    code = "upload_broke_off"
    http_status = 400


router = APIRouter(prefix=PREFIX, tags=["artifacts"], route_class=OpsRoute)


@router.post("", status_code=201, openapi_extra=_UPLOAD)
@needs(Permission.ARTIFACTS_WRITE)
async def upload_artifact(
    *,
    name: ArtifactName,
    request: Request,
    response: Response,
    deps: Deps,
    who: Who,
    sha256: Sha256 = None,
    idempotency_key: Annotated[str | None, Header()] = None,
    content_digest: Digest = None,
    digest: Digest = None,
) -> ArtifactView:
    """Store a file: the body is its bytes, as they are. A hash given by header or query is checked."""
    path = f"{request.method} {request.url.path}"
    deps.request_keys.of(idempotency_key, principal=who.principal, route=path, body=b"")
    upload = Upload(
        name=name,
        content_type=_content_type(request),
        sha256=expected_sha256(sha256, sha256_of(content_digest), sha256_of(digest)),
        declared=_declared(request),
    )
    draft, written = await service.receive(deps.artifacts, who, upload, _body(request))
    body = f"{name}\n{written.sha256}".encode()
    key = deps.request_keys.of(idempotency_key, principal=who.principal, route=path, body=body)
    row = await service.show(deps.open_uow, who, name, draft, written, key=key)
    response.headers["location"] = f"{PREFIX}/{row.id}"
    return _view(row)


@router.get("")
@needs(Permission.ARTIFACTS_READ)
async def list_artifacts(
    session: Reading,
    caller: Caller,
    run_id: Annotated[UUID | None, Query(description="only what steps of this run brought back")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ArtifactView]:
    rows = await queries.list_artifacts(
        session, caller.project_id, run_id=run_id, after=uuid_cursor(cursor), limit=limit
    )
    return page(rows, limit, _view, lambda row: encode_cursor(row.id))


@router.get("/pull/{token}", response_class=Response, responses=_DOWNLOAD)
@needs(Permission.PUBLIC)
async def pull_artifact(token: str, request: Request, deps: Deps) -> Response:
    """The file that a step allowed its target to fetch: once, and only for a while."""
    return download(deps.artifacts, await use_pull(deps.artifacts, token), request)


@router.get("/{artifact_id}", response_class=Response, responses=_DOWNLOAD)
@needs(Permission.ARTIFACTS_READ)
async def download_artifact(artifact_id: UUID, request: Request, deps: Deps, caller: Caller) -> Response:
    """The bytes of a file, or the range of them that was asked for."""
    found = await deps.artifacts.find(artifact_id, project_id=caller.project_id)
    return download(deps.artifacts, found, request)


@router.get("/{artifact_id}/meta")
@needs(Permission.ARTIFACTS_READ)
async def get_artifact(artifact_id: UUID, session: Reading, caller: Caller) -> ArtifactView:
    return _view(await queries.get_artifact(session, caller.project_id, artifact_id))


@router.delete("/{artifact_id}", status_code=204)
@needs(Permission.ARTIFACTS_WRITE)
async def delete_artifact(artifact_id: UUID, uow: Writing, who: Who) -> None:
    """Remove a file; what copies it from now on fails with `artifact_missing`."""
    await service.delete_artifact(uow, who, artifact_id)


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for data in request.stream():
            yield data
    except ClientDisconnect as error:
        raise UploadBrokeOff("The connection ended before the file did; nothing was stored.") from error


def _content_type(request: Request) -> str:
    given = request.headers.get("content-type", PLAIN)[:255]
    return given if given.isascii() and given.isprintable() and "/" in given else PLAIN


def _declared(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


def _view(row: ArtifactRow) -> ArtifactView:
    return ArtifactView(
        id=row.id,
        name=row.name,
        size=row.size,
        sha256=row.sha256 or "",
        content_type=row.content_type,
        origin=ArtifactOrigin(row.origin),
        run_id=row.run_id,
        task_id=row.task_id,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
