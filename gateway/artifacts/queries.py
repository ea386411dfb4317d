"""Reading artifacts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.tables.artifacts import ArtifactRow, ArtifactState

_VISIBLE = (
    ArtifactRow.state == ArtifactState.READY.value,
    or_(ArtifactRow.expires_at.is_(None), ArtifactRow.expires_at > func.now()),
)


async def list_artifacts(
    session: AsyncSession, project_id: UUID, *, run_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[ArtifactRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = (
        select(ArtifactRow)
        .where(ArtifactRow.project_id == project_id, *_VISIBLE)
        .order_by(ArtifactRow.id.desc())
        .limit(limit + 1)
    )
    if run_id is not None:
        query = query.where(ArtifactRow.run_id == run_id)
    if after is not None:
        query = query.where(ArtifactRow.id < after)
    return (await session.scalars(query)).all()


async def get_artifact(session: AsyncSession, project_id: UUID, artifact_id: UUID) -> ArtifactRow:
    """Raises `NotFound`, also for one that is not whole yet or not kept any more."""
    row = await session.scalar(
        select(ArtifactRow).where(
            ArtifactRow.id == artifact_id, ArtifactRow.project_id == project_id, *_VISIBLE
        )
    )
    if row is None:
        raise NotFound.of("artifact", artifact_id)
    return row
