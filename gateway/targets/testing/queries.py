"""Reading connection tests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import NotFound
from contracts.tables.testing import ConnectionTestRow
from contracts.targets.testing import ConnectionTestStatus

_LAST = text("""
    SELECT asked.id AS target_id, last.* FROM unnest(CAST(:ids AS uuid[])) AS asked (id)
     CROSS JOIN LATERAL (
        SELECT id, status, COALESCE(ended_at, started_at, requested_at) AS at, error
          FROM connection_tests WHERE target_id = asked.id AND NOT unsaved
         ORDER BY id DESC LIMIT 1) AS last
""")
_SERVED = text("""
    SELECT DISTINCT pool FROM workers, unnest(pools) AS pool
     WHERE released_at IS NULL AND lease_until > now() AND 'executor' = ANY(roles)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFilter:
    """All that are given must fit."""

    __test__ = False

    target_id: UUID | None = None
    batch_id: UUID | None = None
    status: ConnectionTestStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTest:
    """The newest test of what is stored of a target."""

    id: UUID
    status: ConnectionTestStatus
    at: datetime
    error: dict[str, Any] | None


async def get_test(session: AsyncSession, project_id: UUID, test_id: UUID) -> ConnectionTestRow:
    """Raises `NotFound`."""
    row = await session.scalar(
        select(ConnectionTestRow)
        .where(ConnectionTestRow.id == test_id, ConnectionTestRow.project_id == project_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound.of("connection test", test_id)
    return row


async def list_tests(
    session: AsyncSession, project_id: UUID, wanted: TestFilter, *, after: UUID | None, limit: int
) -> Sequence[ConnectionTestRow]:
    """Newest first; one more than `limit` when there is a next page."""
    query = (
        select(ConnectionTestRow)
        .where(ConnectionTestRow.project_id == project_id)
        .order_by(ConnectionTestRow.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(ConnectionTestRow.id < after)
    if wanted.target_id is not None:
        query = query.where(ConnectionTestRow.target_id == wanted.target_id)
    if wanted.batch_id is not None:
        query = query.where(ConnectionTestRow.batch_id == wanted.batch_id)
    if wanted.status is not None:
        query = query.where(ConnectionTestRow.status == wanted.status.value)
    return (await session.scalars(query)).all()


async def last_tests(session: AsyncSession, target_ids: Collection[UUID]) -> dict[UUID, LastTest]:
    """By target; those that were never tested are missing."""
    if not target_ids:
        return {}
    rows = await session.execute(_LAST, {"ids": list(target_ids)})
    return {
        row.target_id: LastTest(
            id=row.id, status=ConnectionTestStatus(row.status), at=row.at, error=row.error
        )
        for row in rows
    }


async def served_pools(session: AsyncSession) -> frozenset[str]:
    """Pools that an executor serves just now."""
    return frozenset(await session.scalars(_SERVED))
