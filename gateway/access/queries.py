"""Reading users."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.tables.access import UserRow
from gateway.principals import principal_id


async def list_users(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[UserRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = select(UserRow).order_by(UserRow.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(UserRow.id < after)
    return (await session.scalars(query)).all()


async def names_of(session: AsyncSession, principals: Iterable[str]) -> dict[str, str]:
    """What people call these principals; those who are no users go by their id."""
    ids = [UUID(p.removeprefix("user:")) for p in set(principals) if p.startswith("user:")]
    if not ids:
        return {}
    rows = await session.execute(select(UserRow.id, UserRow.username).where(UserRow.id.in_(ids)))
    return {principal_id(row.id): row.username for row in rows}
