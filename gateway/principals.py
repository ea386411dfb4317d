"""Who is asking: a token's claims checked against what the database said within the last second."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from contracts.access.roles import Role
from contracts.errors import Unauthenticated
from contracts.tables.access import UserRow
from contracts.tables.base import DEFAULT_PROJECT_ID
from infra import tokens
from infra.database import Sessions
from infra.jwt_keys import JwtKeys
from infra.tokens import AccessClaims

FRESH_SECONDS = 1.0
CACHED_TOKENS = 10_000
CACHED_USERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who proved who they are. `id` is what rows and messages record of them."""

    id: str
    user_id: UUID
    name: str
    role: Role
    token_version: int
    expires_at: int
    must_change_password: bool = False
    project_id: UUID = DEFAULT_PROJECT_ID


@dataclass(frozen=True, slots=True)
class _User:
    name: str
    role: Role
    active: bool
    token_version: int


def principal_id(user_id: UUID) -> str:
    return f"user:{user_id}"


class Principals:
    """Authenticates without a query per request: a user's state is read once a second at most."""

    def __init__(self, sessions: Sessions, keys: JwtKeys) -> None:
        self._sessions = sessions
        self._keys = keys
        self._claims: OrderedDict[str, AccessClaims] = OrderedDict()
        self._users: OrderedDict[UUID, tuple[float, asyncio.Task[_User | None]]] = OrderedDict()

    async def authenticate(self, token: str) -> Principal:
        """The principal of `token`; raises `Unauthenticated` when it is worthless by now."""
        claims = self._claims_of(token)
        return await self.check(claims)

    async def check(self, claims: AccessClaims) -> Principal:
        """The principal these claims speak for as of now."""
        user = await self._user(claims.user_id)
        if user is None or not user.active or user.token_version != claims.token_version:
            raise Unauthenticated("This session was ended; sign in again.")
        return Principal(
            id=principal_id(claims.user_id),
            user_id=claims.user_id,
            name=user.name,
            role=user.role,
            token_version=user.token_version,
            expires_at=claims.expires_at,
            must_change_password=claims.must_change_password,
        )

    def forget(self, user_id: UUID) -> None:
        """Read this user anew at the next request."""
        self._users.pop(user_id, None)

    def _claims_of(self, token: str) -> AccessClaims:
        known = self._claims.get(token)
        if known is not None:
            if known.expires_at + tokens.LEEWAY_SECONDS > time.time():
                return known
            del self._claims[token]
        claims = tokens.verify(self._keys, token)
        self._claims[token] = claims
        if len(self._claims) > CACHED_TOKENS:
            self._claims.popitem(last=False)
        return claims

    async def _user(self, user_id: UUID) -> _User | None:
        kept = self._users.get(user_id)
        if kept is None or kept[0] < time.monotonic() or (kept[1].done() and _failed(kept[1])):
            kept = (time.monotonic() + FRESH_SECONDS, asyncio.create_task(self._read(user_id)))
            self._users[user_id] = kept
            self._users.move_to_end(user_id)
            if len(self._users) > CACHED_USERS:
                self._users.popitem(last=False)
        if kept[1].done():
            return kept[1].result()
        return await asyncio.shield(kept[1])

    async def _read(self, user_id: UUID) -> _User | None:
        async with self._sessions() as session:
            row = (
                await session.execute(
                    select(UserRow.username, UserRow.role, UserRow.active, UserRow.token_version).where(
                        UserRow.id == user_id
                    )
                )
            ).one_or_none()
        return None if row is None else _User(row.username, Role(row.role), row.active, row.token_version)


def _failed(task: "asyncio.Task[_User | None]") -> bool:
    return task.cancelled() or task.exception() is not None
