"""What is stored of an attempt's output: where another worker has to go on, and what a lost one had seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from infra.database import Statements
from workers.executor.steps.base import Stream

PAGE = 100


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A piece of output as it was stored."""

    seq: int
    stream: Stream
    data: str
    source_end: int


async def stored_output(session: Statements, task_id: UUID, attempt: int) -> tuple[int, dict[str, int]]:
    """The next chunk number of an attempt, and per stream how much of the target's output is stored."""
    rows = await session.execute(
        text("""
            SELECT stream, max(seq) AS seq, max(source_end) AS source_end FROM output_chunks
             WHERE task_id = :task_id AND attempt = :attempt GROUP BY stream
        """),
        {"task_id": task_id, "attempt": attempt},
    )
    found = list(rows)
    return max((row.seq + 1 for row in found), default=0), {row.stream: row.source_end for row in found}


async def stored_chunks(
    session: Statements, task_id: UUID, attempt: int, *, after: int
) -> Sequence[StoredChunk]:
    """The next stored pieces of an attempt's output behind number `after`, in order; none at the end."""
    rows = await session.execute(
        text("""
            SELECT seq, stream, data, source_end FROM output_chunks
             WHERE task_id = :task_id AND attempt = :attempt AND seq > :after ORDER BY seq LIMIT :page
        """),
        {"task_id": task_id, "attempt": attempt, "after": after, "page": PAGE},
    )
    return [StoredChunk(row.seq, row.stream, row.data, row.source_end) for row in rows]
