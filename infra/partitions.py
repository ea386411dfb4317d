"""Monthly partitions of the append-only tables."""

from datetime import date
from itertools import pairwise

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from infra.clock import now

PARTITIONED = ("run_events", "output_chunks")
MONTHS_AHEAD = 2


def months_from(day: date, count: int) -> list[tuple[date, date]]:
    """`count` months as (first day, first day of the next), starting with the month of `day`."""
    firsts = [
        date(day.year + (day.month - 1 + i) // 12, (day.month - 1 + i) % 12 + 1, 1) for i in range(count + 1)
    ]
    return list(pairwise(firsts))


async def ensure_partitions(connection: AsyncConnection | AsyncSession) -> None:
    """Make the partitions of this month and the next ones; those that exist stay.

    What falls outside lands in the default partition, so nothing is ever refused.
    """
    for table in PARTITIONED:
        for first, end in months_from(now().date(), 1 + MONTHS_AHEAD):
            await connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {table}_{first:%Y_%m} PARTITION OF {table}"
                    f" FOR VALUES FROM ('{first.isoformat()}+00') TO ('{end.isoformat()}+00')"
                )
            )
