"""Reading what anyone may know of credentials."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.tables.credentials import CredentialRow


async def list_credentials(
    session: AsyncSession, project_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[CredentialRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = (
        select(CredentialRow)
        .where(CredentialRow.project_id == project_id, CredentialRow.archived_at.is_(None))
        .order_by(CredentialRow.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(CredentialRow.id < after)
    return (await session.scalars(query)).all()


async def get_credential(
    session: AsyncSession, project_id: UUID, credential_id: UUID, *, to_change: bool = False
) -> CredentialRow:
    """The credential, locked when it is `to_change`; raises `NotFound`."""
    query = select(CredentialRow).where(
        CredentialRow.id == credential_id,
        CredentialRow.project_id == project_id,
        CredentialRow.archived_at.is_(None),
    )
    row = await session.scalar(query.with_for_update() if to_change else query)
    if row is None:
        raise NotFound.of("credential", credential_id)
    return row
