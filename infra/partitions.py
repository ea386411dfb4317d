"""Monthly partitions of the append-only tables."""

from datetime import date
from itertools import pairwise

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from infra.clock import now

PARTITIONED = ("run_events", "output_chunks")
MONTHS_AHEAD = 2

log = structlog.get_logger()


def months_from(day: date, count: int) -> list[tuple[date, date]]:
    """`count` months as (first day, first day of the next), starting with the month of `day`."""
    firsts = [
        date(day.year + (day.month - 1 + i) // 12, (day.month - 1 + i) % 12 + 1, 1) for i in range(count + 1)
    ]
    return list(pairwise(firsts))


async def ensure_partitions(connection: AsyncConnection | AsyncSession) -> None:
    """Make the partitions of this month and the next ones; those that exist stay.

    What falls outside lands in the default partition, so nothing is ever refused; a month of which the
    default partition holds rows already stays there.
    """
    for table in PARTITIONED:
        for first, end in months_from(now().date(), 1 + MONTHS_AHEAD):
            statement = text(
                f"CREATE TABLE IF NOT EXISTS {table}_{first:%Y_%m} PARTITION OF {table}"
                f" FOR VALUES FROM ('{first.isoformat()}+00') TO ('{end.isoformat()}+00')"
            )
            try:
                async with connection.begin_nested():
                    await connection.execute(statement)
            except IntegrityError as error:  # rows in the default partition, or another process was faster
                log.warning("partition.not_made", table=table, month=f"{first:%Y-%m}", error=str(error.orig))
