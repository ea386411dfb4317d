"""Reading targets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.tables.targets import TargetOs, TargetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFilter:
    """All that are given must fit. `tag` is `name` or `name=value`; `name` a part of the target's."""

    os: TargetOs | None = None
    tag: Sequence[str] = ()
    name: str | None = None
    pool: str | None = None


async def list_targets(
    session: AsyncSession, project_id: UUID, wanted: TargetFilter, *, after: UUID | None, limit: int
) -> Sequence[TargetRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = (
        select(TargetRow)
        .where(TargetRow.project_id == project_id, TargetRow.archived_at.is_(None))
        .order_by(TargetRow.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(TargetRow.id < after)
    if wanted.os is not None:
        query = query.where(TargetRow.os == wanted.os.value)
    if wanted.pool is not None:
        query = query.where(TargetRow.pool == wanted.pool)
    if wanted.name is not None:
        query = query.where(TargetRow.name.icontains(wanted.name, autoescape=True))
    for tag in wanted.tag:
        name, equals, value = tag.partition("=")
        query = query.where(
            TargetRow.tags.contains({name: value}) if equals else TargetRow.tags.has_key(name)
        )
    return (await session.scalars(query)).all()


async def get_target(
    session: AsyncSession, project_id: UUID, target_id: UUID, *, to_change: bool = False
) -> TargetRow:
    """The target, locked when it is `to_change`; raises `NotFound`."""
    query = select(TargetRow).where(
        TargetRow.id == target_id, TargetRow.project_id == project_id, TargetRow.archived_at.is_(None)
    )
    row = await session.scalar(query.with_for_update() if to_change else query)
    if row is None:
        raise NotFound.of("target", target_id)
    return row


async def known_names(session: AsyncSession, project_id: UUID, names: Collection[str]) -> set[str]:
    """Those of `names` that are targets of the project."""
    if not names:
        return set()
    rows = await session.scalars(
        select(TargetRow.name).where(
            TargetRow.project_id == project_id,
            TargetRow.archived_at.is_(None),
            TargetRow.name == any_(bindparam(None, list(names), type_=ARRAY(Text))),
        )
    )
    return set(rows)
