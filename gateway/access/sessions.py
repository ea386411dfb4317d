"""Refresh tokens: each works once; one that comes back later ends its whole family."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.tables.access import SessionRow
from infra.ids import uuid7

REFRESH_LIFE = timedelta(days=7)
GRACE = timedelta(seconds=10)
"""Two tabs of one browser may use the same token at the same moment."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What became of a refresh token. `reused` means its family was ended just now."""

    user_id: UUID | None
    family_id: UUID | None = None
    reused: bool = False


def open_session(
    session: AsyncSession, user_id: UUID, *, now: datetime, family_id: UUID | None = None
) -> str:
    """A new refresh token, in a family of its own unless it replaces another. Only its hash is stored."""
    token = secrets.token_urlsafe(32)
    session.add(
        SessionRow(
            id=uuid7(),
            user_id=user_id,
            family_id=family_id or uuid7(),
            refresh_hash=_hash(token),
            expires_at=now + REFRESH_LIFE,
        )
    )
    return token


async def redeem(session: AsyncSession, token: str, *, now: datetime) -> Redeemed:
    """Use a refresh token up. One that was used before, beyond the grace, revokes its family."""
    row = await session.scalar(
        select(SessionRow).where(SessionRow.refresh_hash == _hash(token)).with_for_update()
    )
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return Redeemed(None)
    if row.used_at is not None and now - row.used_at > GRACE:
        await session.execute(
            update(SessionRow)
            .where(SessionRow.family_id == row.family_id, SessionRow.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return Redeemed(row.user_id, row.family_id, reused=True)
    row.used_at = row.used_at or now
    return Redeemed(row.user_id, row.family_id)


async def revoke_family(session: AsyncSession, user_id: UUID, token: str, *, now: datetime) -> bool:
    """End the sign-in of this user that `token` stems from; False when there is none."""
    family = select(SessionRow.family_id).where(
        SessionRow.refresh_hash == _hash(token), SessionRow.user_id == user_id
    )
    ended = await session.execute(
        update(SessionRow)
        .where(SessionRow.family_id == family.scalar_subquery(), SessionRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(SessionRow.id)
    )
    return ended.first() is not None


async def revoke_all(session: AsyncSession, user_id: UUID, *, now: datetime) -> None:
    await session.execute(
        update(SessionRow)
        .where(SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
