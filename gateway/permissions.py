"""What every route must say about itself: the permission it needs. A route without one cannot be made."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.types import Scope

from contracts.access.roles import Permission, allows
from contracts.errors import Forbidden, OpsError, Unauthenticated
from gateway.principals import Principal
from gateway.strictjson import read_json, read_yaml

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_MARK = "__permission__"
_TICKET_MARK = "__ticket__"
_EARLY_MARK = "__before_password_change__"
_YAML_MARK = "yaml_source"
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})


class UnsupportedMediaType(OpsError):
    code = "unsupported_media_type"
    http_status = 415


class PasswordChangeRequired(Forbidden):
    """The one-time password was used; its owner has to choose one before anything else."""

    code = "password_change_required"


def needs(
    permission: Permission, *, ticket: bool = False, before_password_change: bool = False
) -> Callable[[Endpoint], Endpoint]:
    """Declare what a caller must be allowed to do to reach this endpoint.

    `ticket` lets stream tickets in, `before_password_change` those who still have a one-time password.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, permission)
        setattr(endpoint, _TICKET_MARK, ticket)
        setattr(endpoint, _EARLY_MARK, before_password_change)
        return endpoint

    return mark


def permission_of(endpoint: Callable[..., Any]) -> Permission:
    """The declared permission; TypeError for an endpoint that declares none."""
    permission = getattr(endpoint, _MARK, None)
    if not isinstance(permission, Permission):
        raise TypeError(f"{endpoint.__qualname__} declares no permission; put @needs(…) under its route")
    return permission


class StrictRequest(Request):
    """A request whose JSON was read strictly, after its sender was let in."""

    document: Any = None

    async def json(self) -> Any:
        return self.document


class OpsRoute(APIRoute):
    """Lets the caller in, or not, before anything of the body is looked at."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.permission = permission_of(endpoint)
        extra = {**(options.get("openapi_extra") or {}), "x-permission": self.permission.value}
        if self.permission is not Permission.PUBLIC:
            extra.setdefault("security", [{"bearer": []}])
        super().__init__(path, endpoint, **(options | {"openapi_extra": extra}))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        permission, has_body = self.permission, self.body_field is not None
        ticket, early = getattr(self.endpoint, _TICKET_MARK), getattr(self.endpoint, _EARLY_MARK)

        async def guarded(request: Request) -> Response:
            if permission is not Permission.PUBLIC:
                await _let_in(request, permission, ticket=ticket, early=early)
            if not has_body:
                return await handle(request)
            headers = request.headers
            strict = StrictRequest(_as_json(request.scope), request.receive)
            media_type, body = _media_type(headers), await strict.body()
            strict.document = _document(media_type, body)
            strict.scope[_YAML_MARK] = body.decode() if media_type in YAML_TYPES else None
            return await handle(strict)

        return guarded


class LeanRoute(OpsRoute):
    """For the hottest route: the endpoint gets the request itself and returns the response itself.

    Measured: the framework's own reading of bodies, solving of dependencies and checking of responses costs
    more than everything else that accepting a run takes. What it says in OpenAPI is given by hand.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint, permission = self.endpoint, self.permission

        async def lean(request: Request) -> Response:
            await _let_in(request, permission, ticket=False)
            response: Response = await endpoint(request)
            return response

        return lean


Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, model: type[Body]) -> Body:
    """The strictly read body as `model`; an empty body is an empty object."""
    document = _document(_media_type(request.headers), await request.body())
    try:
        return model.model_validate({} if document is None else document)
    except ValidationError as error:
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        ) from None


async def _let_in(request: Request, permission: Permission, *, ticket: bool, early: bool = False) -> None:
    principal = await _authenticate(request, ticket=ticket)
    if principal.must_change_password and not early:
        raise PasswordChangeRequired(
            "Choose a password of your own first (POST /api/v1/users/me/password); until then nothing else "
            "is open to you."
        )
    if not allows(principal.role, permission):
        raise Forbidden(
            f"This needs the permission {permission.value}, which a {principal.role} does not have."
        )
    request.scope["principal"] = principal


async def _authenticate(request: Request, *, ticket: bool) -> Principal:
    deps = request.app.state.deps
    if ticket and (given := request.query_params.get("ticket")):
        redeemed: Principal = deps.tickets.redeem(given)
        return redeemed
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Sign in first: this needs an access token.")
    principal: Principal = await deps.principals.authenticate(token.strip())
    return principal


def _as_json(scope: Scope) -> Scope:
    """The same request to the framework, which only knows JSON: the document is read already."""
    rest = [header for header in scope["headers"] if header[0] != b"content-type"]
    scope["headers"] = [*rest, (b"content-type", b"application/json")]
    return scope


def yaml_source(request: Request) -> str | None:
    """The body as its author wrote it, when it was YAML."""
    source: str | None = request.scope.get(_YAML_MARK)
    return source


def wants_yaml(request: Request) -> bool:
    """Whether the client asks for YAML and not for JSON."""
    accepted = [
        part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")
    ]
    return any(kind in YAML_TYPES for kind in accepted) and "application/json" not in accepted


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "application/json").partition(";")[0].strip().lower()


def _document(media_type: str, body: bytes) -> Any:
    if not body:
        return None
    if media_type == "application/json" or media_type.endswith("+json"):
        return read_json(body)
    if media_type in YAML_TYPES:
        return read_yaml(body)
    raise UnsupportedMediaType(f"Send application/json; {media_type[:100]!r} is not understood here.")
