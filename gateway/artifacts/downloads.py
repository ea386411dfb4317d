"""A stored file as a response: whole or in part, always to be saved, never to be shown by a browser."""

from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.artifacts.ranges import wanted_range
from gateway.problems import problem
from infra.artifacts import ArtifactStore, StoredArtifact

PARTIAL, NOT_MODIFIED, NOT_SATISFIABLE = 206, 304, 416


def download(store: ArtifactStore, artifact: StoredArtifact, request: Request) -> Response:
    """The bytes that the request asks for, streamed; honours Range, If-Range and If-None-Match."""
    tag, asked = f'"{artifact.sha256}"', request.headers
    headers = _headers(artifact, tag)
    if tag in _tags(asked.get("if-none-match")):
        return Response(status_code=NOT_MODIFIED, headers={"etag": tag})
    whole = asked.get("if-range", tag) != tag
    part = None if whole else wanted_range(asked.get("range"), artifact.size)
    start, end = part or (0, artifact.size)
    if part and start == end:
        request_id: UUID = request.scope["request_id"]
        refused = problem(
            NOT_SATISFIABLE, "range", f"The file has {artifact.size} bytes, none of them there.", request_id
        )
        refused.headers["content-range"] = f"bytes */{artifact.size}"
        return refused
    headers["content-length"] = str(end - start)
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{artifact.size}"
    return StreamingResponse(
        store.read(artifact.id, end, start=start),
        PARTIAL if part else 200,
        headers,
        artifact.content_type,
    )


def _headers(artifact: StoredArtifact, tag: str) -> dict[str, str]:
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in artifact.name)
    encoded = quote(artifact.name, safe="")
    return {
        "etag": tag,
        "accept-ranges": "bytes",
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "content-security-policy": "sandbox",
        "cache-control": "private, no-cache",
    }


def _tags(header: str | None) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in (header or "").split(",")]
