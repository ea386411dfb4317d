"""Users as administrators manage them, and one's own sessions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Permission, Role
from contracts.errors import Conflict, NotFound
from contracts.tables.access import SessionRow, UserRow
from gateway.access.schemas import UserView
from gateway.access.sessions import revoke_all
from gateway.access.views import user_view
from gateway.auditing import audit
from gateway.deps import Actor, Caller, Deps, Reading, Who, Writing
from gateway.etags import IfMatch, etag, require_match
from gateway.permissions import OpsRoute, needs
from gateway.schemas import Strict
from infra.clock import now
from infra.passwords import require_strong
from infra.unit_of_work import UnitOfWork

router = APIRouter(prefix="/api/v1", tags=["access"], route_class=OpsRoute)

_LAST_ADMIN_LOCK = 0x6F70735F61646C
_SESSIONS = text("""
    SELECT family_id AS id, min(created_at) AS signed_in_at, max(created_at) AS renewed_at,
           max(expires_at) AS expires_at
      FROM sessions WHERE user_id = :user_id
     GROUP BY family_id
    HAVING bool_or(revoked_at IS NULL AND used_at IS NULL AND expires_at > now())
     ORDER BY max(created_at) DESC LIMIT 200
""")


class LastAdministrator(Conflict):
    """Nobody would be left who can manage users."""

    code = "last_administrator"


class UserChange(Strict):
    """Left out means unchanged. A new password is a one-time one: its owner has to choose another."""

    role: Role | None = None
    active: bool | None = None
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = None
    password: Annotated[SecretStr, Field(min_length=1, max_length=1_024)] | None = None


class SessionView(BaseModel):
    """One sign-in; renewed silently until it expires or is ended."""

    id: UUID
    signed_in_at: datetime
    renewed_at: datetime
    expires_at: datetime


class SessionList(BaseModel):
    items: list[SessionView]
    next_cursor: None = None


@router.get("/me/sessions")
@needs(Permission.AUTHENTICATED)
async def list_own_sessions(session: Reading, caller: Caller) -> SessionList:
    """Where one is signed in, the latest first."""
    rows = (await session.execute(_SESSIONS, {"user_id": caller.user_id})).mappings()
    return SessionList(items=[SessionView(**row) for row in rows])


@router.delete("/me/sessions/{session_id}", status_code=204)
@needs(Permission.AUTHENTICATED)
async def end_own_session(session_id: UUID, uow: Writing, caller: Caller, who: Who) -> None:
    """Sign out there; its access token still works for as long as it lives, 15 minutes at most."""
    ended = await uow.session.execute(
        update(SessionRow)
        .where(
            SessionRow.family_id == session_id,
            SessionRow.user_id == caller.user_id,
            SessionRow.revoked_at.is_(None),
        )
        .values(revoked_at=now())
        .returning(SessionRow.id)
    )
    if ended.first() is None:
        raise NotFound.of("session", session_id)
    await audit(uow, who, "access.end_session", "user", caller.user_id, session_id=str(session_id))


@router.get("/users/{user_id}")
@needs(Permission.USERS_READ)
async def get_user(user_id: UUID, session: Reading, response: Response) -> UserView:
    """One user."""
    return _shown(await _user(session, user_id), response)


@router.put("/users/{user_id}")
@needs(Permission.USERS_WRITE)
async def change_user(
    *,
    user_id: UUID,
    body: UserChange,
    deps: Deps,
    who: Who,
    response: Response,
    if_match: IfMatch = None,
) -> UserView:
    """Change role, name, state or password. All but a new name end the user's sessions."""
    password = body.password.get_secret_value() if body.password else None
    hashed = None
    if password is not None:
        async with deps.sessions() as session:
            require_strong(password, username=(await _user(session, user_id)).username)
        hashed = await deps.passwords.hash(password)
    async with deps.open_uow() as uow:
        row = await _user(uow.session, user_id, to_change=True)
        require_match(if_match, _tag(row))
        await _apply(uow, who, row, body, hashed)
    deps.principals.forget(user_id)
    return _shown(row, response)


@router.delete("/users/{user_id}", status_code=204)
@needs(Permission.USERS_WRITE)
async def delete_user(user_id: UUID, deps: Deps, who: Who, if_match: IfMatch = None) -> None:
    """Deactivate a user, at once and everywhere; what they did keeps their name."""
    async with deps.open_uow() as uow:
        row = await _user(uow.session, user_id, to_change=True)
        require_match(if_match, _tag(row))
        await _apply(uow, who, row, UserChange(active=False), None)
    deps.principals.forget(user_id)


async def _apply(uow: UnitOfWork, who: Actor, row: UserRow, body: UserChange, hashed: str | None) -> None:
    role, active = body.role or Role(row.role), row.active if body.active is None else body.active
    if Role(row.role) is Role.ADMIN and row.active and not (active and role is Role.ADMIN):
        await _require_another_admin(uow.session, row.id)
    ends = role.value != row.role or active != row.active or hashed is not None
    row.role, row.active, row.updated_at = role.value, active, now()
    row.name = body.name if body.name is not None else row.name
    if hashed is not None:
        row.password_hash, row.must_change_password = hashed, True
    if ends:
        row.token_version += 1
        await revoke_all(uow.session, row.id, now=now())
    changed = sorted(name for name in body.model_fields_set if getattr(body, name) is not None)
    await audit(
        uow, who, "users.change", "user", row.id, username=row.username, fields=changed, role=row.role,
        active=row.active,
    )  # fmt: skip


async def _require_another_admin(session: AsyncSession, user_id: UUID) -> None:
    """One at a time: two administrators must not remove each other at the same moment."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LAST_ADMIN_LOCK})
    others = select(func.count()).where(
        UserRow.role == Role.ADMIN.value, UserRow.active, UserRow.id != user_id
    )
    if not await session.scalar(others):
        raise LastAdministrator("This is the last active administrator; make somebody else one first.")


async def _user(session: AsyncSession, user_id: UUID, *, to_change: bool = False) -> UserRow:
    row = await session.get(UserRow, user_id, with_for_update=to_change or None)
    if row is None:
        raise NotFound.of("user", user_id)
    return row


def _tag(row: UserRow) -> str:
    return etag(row.token_version, row.updated_at)


def _shown(row: UserRow, response: Response) -> UserView:
    response.headers["etag"] = _tag(row)
    return user_view(row)
