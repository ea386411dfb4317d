"""The whole output of a run, in pieces: never more than one of them is in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from contracts.jobs.definition import JobDefinition, step_name
from infra.database import Sessions

PIECE_CHUNKS = 32

_PIECE = text("""
    SELECT c.xid::text::bigint AS xid, c.id, c.attempt, c.seq, c.stream, c.data, c.occurred_at,
           t.step_no, t.target_name
      FROM output_chunks AS c JOIN tasks AS t ON t.id = c.task_id
     WHERE c.run_id = :run_id
       AND (c.xid, c.id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))
       AND (CAST(:step_no AS int) IS NULL OR t.step_no = :step_no)
       AND (CAST(:target AS text) IS NULL OR t.target_name = :target)
       AND (CAST(:stream AS text) IS NULL OR c.stream = :stream)
     ORDER BY c.xid, c.id
     LIMIT :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """All that are given must fit."""

    step_no: int | None = None
    target: str | None = None
    stream: Literal["stdout", "stderr"] | None = None


async def log_pieces(
    sessions: Sessions, run_id: UUID, definition: JobDefinition, wanted: LogFilter, *, lines: bool
) -> AsyncIterator[bytes]:
    """Output in the order it was stored; `lines` as one JSON object per chunk, else as text with headings."""
    cursor: tuple[int, int] = (0, 0)
    heading: tuple[Any, ...] | None = None
    while True:
        async with sessions() as session:
            rows = (
                await session.execute(
                    _PIECE,
                    {
                        "run_id": run_id,
                        "xid": str(cursor[0]),
                        "id": cursor[1],
                        "step_no": wanted.step_no,
                        "target": wanted.target,
                        "stream": wanted.stream,
                        "limit": PIECE_CHUNKS,
                    },
                )
            ).all()
        for row in rows:
            if lines:
                yield _json_line(row, definition)
                continue
            if heading != (place := (row.step_no, row.target_name, row.attempt, row.stream)):
                yield _heading(row, definition, first=heading is None)
                heading = place
            yield row.data.encode()
        if len(rows) < PIECE_CHUNKS:
            return
        cursor = (rows[-1].xid, rows[-1].id)


def _step(row: Row[Any], definition: JobDefinition) -> str:
    return step_name(definition.steps[row.step_no], row.step_no)


def _heading(row: Row[Any], definition: JobDefinition, *, first: bool) -> bytes:
    target = row.target_name or "-"
    words = f"==> {_step(row, definition)} on {target}, attempt {row.attempt}, {row.stream} <==\n"
    return (words if first else f"\n{words}").encode()


def _json_line(row: Row[Any], definition: JobDefinition) -> bytes:
    return orjson.dumps(
        {
            "step": _step(row, definition),
            "target": row.target_name,
            "attempt": row.attempt,
            "stream": row.stream,
            "seq": row.seq,
            "time": row.occurred_at,
            "data": row.data,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
