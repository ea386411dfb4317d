"""Paths of earlier clients: the same endpoints, and a header that says where they live now."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.routes import list_users
from gateway.permissions import OpsRoute
from gateway.targets.routes import list_targets

DEPRECATED_SINCE = "@1767225600"
"""RFC 9745: seconds since 1970, the first of January 2026."""

ALIASES: dict[str, tuple[Callable[..., Any], str]] = {
    "/api/targets": (list_targets, "/api/v1/targets"),
    "/api/users": (list_users, "/api/v1/users"),
}
router = APIRouter(tags=["legacy"], route_class=OpsRoute)
for _path, (_endpoint, _successor) in ALIASES.items():
    router.add_api_route(
        _path, _endpoint, methods=["GET"], name=f"legacy_{_endpoint.__name__}", deprecated=True
    )


class Deprecations:
    """ASGI middleware: answers under an old path say so (RFC 9745) and name the new one (RFC 8288)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        alias = ALIASES.get(scope["path"]) if scope["type"] == "http" else None
        if alias is None:
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers.append((b"deprecation", DEPRECATED_SINCE.encode()))
                headers.append((b"link", f'<{alias[1]}>; rel="successor-version"'.encode()))
            await send(message)

        await self._app(scope, receive, marked)
