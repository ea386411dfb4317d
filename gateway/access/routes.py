"""Signing in, and users."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from contracts.access.roles import Permission
from gateway.access import queries, service
from gateway.access.schemas import (
    LoginRequest,
    PasswordChange,
    RefreshRequest,
    TokenView,
    UserCreate,
    UserView,
    VerifyView,
)
from gateway.access.service import SignedIn
from gateway.access.views import user_view
from gateway.deps import Caller, Deps, Key, Reading, Who, Writing
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from infra.passwords import require_strong
from infra.tokens import ACCESS_SECONDS

router = APIRouter(prefix="/api", tags=["access"], route_class=OpsRoute)


@router.post("/login")
@needs(Permission.PUBLIC)
async def login(body: LoginRequest, deps: Deps, request: Request, response: Response) -> TokenView:
    """Exchange user name and password for an access token (15 min) and a refresh token (7 days)."""
    response.headers["cache-control"] = "no-store"
    address = request.client.host if request.client else "unknown"
    deps.login_limiter.told(request, address, body.username)
    signed_in = await service.sign_in(
        deps,
        username=body.username,
        password=body.password.get_secret_value(),
        address=address,
        request_id=request.scope["request_id"],
    )
    return _tokens(signed_in)


@router.post("/refresh")
@needs(Permission.PUBLIC)
async def refresh(body: RefreshRequest, deps: Deps, request: Request, response: Response) -> TokenView:
    """Exchange a refresh token, which works once, for new tokens."""
    response.headers["cache-control"] = "no-store"
    return _tokens(await service.refresh(deps, body.refresh_token, request_id=request.scope["request_id"]))


@router.post("/logout", status_code=204)
@needs(Permission.AUTHENTICATED, before_password_change=True)
async def logout(body: RefreshRequest, caller: Caller, who: Who, uow: Writing) -> None:
    """End the session that this refresh token belongs to; the caller's other sessions stay."""
    await service.end_session(uow, who, caller.user_id, body.refresh_token)


@router.post("/revoke-all", status_code=204)
@needs(Permission.AUTHENTICATED, before_password_change=True)
async def revoke_all(caller: Caller, who: Who, uow: Writing, deps: Deps) -> None:
    """End every session of the caller, this one included."""
    await service.end_all_sessions(uow, who, caller.user_id)
    deps.principals.forget(caller.user_id)


@router.get("/verify")
@needs(Permission.AUTHENTICATED, before_password_change=True)
async def verify(caller: Caller) -> VerifyView:
    """Who the access token speaks for."""
    return VerifyView(
        valid=True,
        id=caller.user_id,
        username=caller.name,
        role=caller.role,
        expires_at=datetime.fromtimestamp(caller.expires_at, UTC),
    )


@router.post("/v1/users/me/password")
@needs(Permission.AUTHENTICATED, before_password_change=True)
async def change_password(
    body: PasswordChange, caller: Caller, who: Who, deps: Deps, request: Request
) -> TokenView:
    """Change the caller's password; every other session ends."""
    deps.login_limiter.told(request, service.CHANGING, caller.name)
    return _tokens(await service.change_password(deps, caller, who, body))


@router.get("/v1/users")
@needs(Permission.USERS_READ)
async def list_users(session: Reading, limit: Limit = 50, cursor: Cursor = None) -> Page[UserView]:
    rows = await queries.list_users(session, after=uuid_cursor(cursor), limit=limit)
    return page(rows, limit, user_view, lambda row: encode_cursor(row.id))


@router.post("/v1/users", status_code=201)
@needs(Permission.USERS_WRITE)
async def create_user(body: UserCreate, deps: Deps, who: Who, key: Key) -> UserView:
    """Create a user, who has to choose a password of their own at first sign-in."""
    password = body.password.get_secret_value()
    require_strong(password, username=body.username)
    hashed = await deps.passwords.hash(password)
    async with deps.open_uow() as uow:
        row = await service.create_user(uow, who, body, password_hash=hashed, key=key)
    return user_view(row)


def _tokens(signed_in: SignedIn) -> TokenView:
    return TokenView(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        token_type="bearer",  # noqa: S106  (the name of a scheme)
        expires_in=ACCESS_SECONDS,
        must_change_password=signed_in.must_change_password,
    )
