"""Reading targets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Text, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import FieldProblem, Invalid, NotFound
from contracts.tables.targets import TargetOs, TargetRow
from contracts.targets.query import Query, QueryRefused, parse_query
from contracts.targets.selecting import condition
from gateway.sorting import NEWEST, Order

TestOutcome = Literal["never", "succeeded", "failed"]
"""What the last connection test that ended said; `never` when none has."""

_LAST_OUTCOME = """
    COALESCE((SELECT status FROM connection_tests
               WHERE target_id = targets.id AND NOT unsaved AND ended_at IS NOT NULL
               ORDER BY id DESC LIMIT 1), 'never') = :outcome
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFilter:
    """All that are given must fit. `tag` is `name` or `name=value`; `name` a part of the target's."""

    os: TargetOs | None = None
    tag: Sequence[str] = ()
    name: str | None = None
    pool: str | None = None
    query: Query | None = None
    test: TestOutcome | None = None


async def list_targets(
    session: AsyncSession, project_id: UUID, wanted: TargetFilter, order: Order = NEWEST, *, limit: int
) -> Sequence[TargetRow]:
    """One more than `limit` when there is a next page."""
    query = order.of(
        select(TargetRow)
        .where(TargetRow.project_id == project_id, TargetRow.archived_at.is_(None))
        .limit(limit + 1),
        TargetRow,
    )
    if wanted.test is not None:
        query = query.where(text(_LAST_OUTCOME).bindparams(outcome=wanted.test))
    if wanted.os is not None:
        query = query.where(TargetRow.os == wanted.os.value)
    if wanted.pool is not None:
        query = query.where(TargetRow.pool == wanted.pool)
    if wanted.name is not None:
        query = query.where(TargetRow.name.icontains(wanted.name, autoescape=True))
    if wanted.query is not None:
        fits = condition(wanted.query)
        query = query.where(text(fits.sql).bindparams(**fits.values))
    for tag in wanted.tag:
        name, equals, value = tag.partition("=")
        query = query.where(
            TargetRow.tags.contains({name: value}) if equals else TargetRow.tags.has_key(name)
        )
    return (await session.scalars(query)).all()


def query_of(text: str | None) -> Query | None:
    """The query in a request; raises `Invalid` with the place of what is wrong in it."""
    if text is None:
        return None
    try:
        return parse_query(text)
    except QueryRefused as refused:
        problems = [FieldProblem("query", str(refused))]
        raise Invalid("The query is not valid.", problems=problems) from None


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
