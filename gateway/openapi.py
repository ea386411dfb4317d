"""The published description of the HTTP interface. `python -m gateway.openapi` writes docs/openapi.json."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gateway.runs.schemas import RunBody

FILE = Path(__file__).parent.parent / "docs" / "openapi.json"

_PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457). `code` is stable; `detail` is for people.",
    "required": ["type", "code", "title", "status", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {
                    "field": {"type": "string"},
                    "reason": {"type": "string"},
                    "line": {"type": "integer"},
                    "suggestion": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string", "format": "uuid"},
    },
}
_REFUSED = {
    "description": "The request was refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def operation_id(route: APIRoute) -> str:
    return route.name


@cache
def document_of(app: FastAPI) -> bytes:
    """The OpenAPI 3.1 document as stable, readable JSON."""
    document: dict[str, Any] = get_openapi(title=app.title, version=app.version, routes=app.routes)
    components = document.setdefault("components", {})
    run_body = RunBody.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= run_body.pop("$defs", {}) | {"RunBody": run_body}
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _REFUSED
    return orjson.dumps(
        document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    )


def main() -> None:
    from gateway.app import routes_only  # noqa: PLC0415  (the application needs this module)

    FILE.write_bytes(document_of(routes_only()))


if __name__ == "__main__":
    main()
