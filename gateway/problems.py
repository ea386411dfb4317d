"""Errors to RFC 9457 problem documents; the only translation there is."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from contracts.errors import FieldProblem, OpsError, RateLimited, Unauthenticated
from contracts.wording import reason
from infra.outages import StillDown, is_conflict, is_outage

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_HTTP_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


def problem(
    status: int, code: str, detail: str, request_id: UUID, *, errors: tuple[FieldProblem, ...] = ()
) -> Response:
    """A problem document. `code` is stable; `detail` is for people."""
    document: dict[str, Any] = {
        "type": f"urn:opsconductor:problem:{code}",
        "code": code,
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "errors": [_field(error) for error in errors],
        "request_id": str(request_id),
    }
    headers = {"cache-control": "no-store"}
    if status == Unauthenticated.http_status:
        headers["www-authenticate"] = "Bearer"
    if status == 503:  # noqa: PLR2004
        headers["retry-after"] = "2"
    return Response(orjson.dumps(document), status, headers, MEDIA_TYPE)


def _field(error: FieldProblem) -> dict[str, Any]:
    more = {"line": error.line, "suggestion": error.suggestion}
    told = {name: value for name, value in more.items() if value is not None}
    return {"field": error.field, "reason": error.reason, **told}


def problem_for(error: Exception, request_id: UUID) -> Response:
    """What a client may know of `error`. Anything unforeseen is logged and answered without its inside."""
    if isinstance(error, OpsError):
        answer = problem(error.http_status, error.code, str(error), request_id, errors=error.problems)
        if isinstance(error, RateLimited):
            answer.headers["retry-after"] = str(error.retry_after)
        return answer
    if isinstance(error, RequestValidationError):
        return problem(
            422, "invalid", "The request is not valid.", request_id, errors=_validation_problems(error)
        )
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "refused")
        return problem(error.status_code, code, str(error.detail), request_id)
    if isinstance(error, StillDown | asyncio.TimeoutError) or is_outage(error) or is_conflict(error):
        log.warning("request.unavailable", request_id=str(request_id), error=str(error)[:300])
        return problem(
            503,
            "unavailable",
            "The database cannot be reached just now. Repeat the request; with the same Idempotency-Key "
            "it is carried out once, even if this one still was.",
            request_id,
        )
    log.error("request.failed", request_id=str(request_id), exc_info=error)
    return problem(500, "internal", "Something went wrong here; the log tells what.", request_id)


def _validation_problems(error: RequestValidationError) -> tuple[FieldProblem, ...]:
    return tuple(
        FieldProblem(
            _path(item["loc"][1:]) or str(item["loc"][0]),
            reason(item),
        )
        for item in error.errors()[:100]
    )


def _path(place: tuple[str | int, ...]) -> str:
    """`targets.0`: a `[shape]` by which alternatives were told apart is no part of the document."""
    return ".".join(part for part in map(str, place) if not (part.startswith("[") and part.endswith("]")))
