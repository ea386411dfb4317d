"""Reading dead letters. They belong to the system, not to a project."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.tables.deadletters import DeadLetterRow, DeadLetterStatus


async def list_dead_letters(
    session: AsyncSession, *, status: DeadLetterStatus | None, after: UUID | None, limit: int
) -> Sequence[DeadLetterRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = select(DeadLetterRow).order_by(DeadLetterRow.id.desc()).limit(limit + 1)
    if status is not None:
        query = query.where(DeadLetterRow.status == status.value)
    if after is not None:
        query = query.where(DeadLetterRow.id < after)
    return (await session.scalars(query)).all()


async def get_dead_letter(
    session: AsyncSession, letter_id: UUID, *, to_change: bool = False
) -> DeadLetterRow:
    """The dead letter, locked when it is `to_change`; raises `NotFound`."""
    row = await session.get(DeadLetterRow, letter_id, with_for_update=to_change or None)
    if row is None:
        raise NotFound.of("dead letter", letter_id)
    return row
