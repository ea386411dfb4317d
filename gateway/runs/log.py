"""The output of a run, in pieces: never more than one of them is in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from contracts.jobs.definition import JobDefinition, step_name
from gateway.live.frames import START, Cursor, event_id
from gateway.runs.logtext import LogText
from infra.database import Sessions

PIECE_CHUNKS = 32
"""Read at first: enough to fill a screen at once."""
LARGEST_PIECE = 256
PIECE_BYTES = 512 * 1024
"""What a piece should weigh; commands that print little at a time leave many small chunks."""
MOST_BACKWARDS = 1_000

_COLUMNS = """
    SELECT c.xid::text::bigint AS xid, c.id, c.task_id, c.attempt, c.seq, c.stream, c.data, c.occurred_at,
           t.step_no, t.target_name
      FROM output_chunks AS c JOIN tasks AS t ON t.id = c.task_id
     WHERE c.run_id = :run_id
       AND (CAST(:stream AS text) IS NULL OR c.stream = :stream)
       AND (CAST(:attempt AS int) IS NULL OR c.attempt = :attempt)
"""
_AFTER = " AND (c.xid, c.id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))"
_BEFORE = " AND (c.xid, c.id) < (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))"
_OF_TASKS = " AND c.task_id = ANY(CAST(:tasks AS uuid[]))"
_SETTLED = " AND c.xid < pg_snapshot_xmin(pg_current_snapshot())"
_TASKS = text("""
    SELECT id FROM tasks
     WHERE run_id = :run_id AND (CAST(:step_no AS int) IS NULL OR step_no = :step_no)
       AND (CAST(:target AS text) IS NULL OR target_name = :target)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """All that are given must fit."""

    step_no: int | None = None
    target: str | None = None
    stream: Literal["stdout", "stderr"] | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRange:
    """Which chunks: those after a place, or the last ones before one, at most `limit`.

    Backwards no more than `MOST_BACKWARDS` at once: they are turned around in memory.

    A `settled` range ends below every transaction still open, so that a live stream that begins after its
    last chunk misses and repeats nothing.
    """

    after: Cursor | None = None
    before: Cursor | None = None
    backwards: bool = False
    limit: int | None = None
    settled: bool = False


class LogWriter(Protocol):
    """Turns chunks into what is sent."""

    def write(self, row: Row[Any]) -> bytes: ...

    def end(self) -> bytes: ...


class JsonLines:
    """One JSON object per chunk; its `id` is the event id of the same chunk in a live stream."""

    def __init__(self, definition: JobDefinition, epoch: int) -> None:
        self._definition = definition
        self._epoch = epoch

    def write(self, row: Row[Any]) -> bytes:
        return orjson.dumps(
            {
                "id": event_id(self._epoch, (row.xid, row.id)),
                "task_id": str(row.task_id),
                "step": step_name(self._definition.steps[row.step_no], row.step_no),
                "target": row.target_name,
                "attempt": row.attempt,
                "stream": row.stream,
                "seq": row.seq,
                "time": row.occurred_at,
                "data": row.data,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )

    def end(self) -> bytes:
        return b""


class PlainText:
    """Text under headings that tell where it comes from."""

    def __init__(self, definition: JobDefinition, text: LogText) -> None:
        self._definition = definition
        self._text = text

    def write(self, row: Row[Any]) -> bytes:
        step = step_name(self._definition.steps[row.step_no], row.step_no)
        place = (step, row.target_name or "-", row.attempt, row.stream)
        return self._text.add(place, row.data, row.occurred_at).encode()

    def end(self) -> bytes:
        return self._text.end().encode()


async def log_pieces(
    sessions: Sessions, run_id: UUID, wanted: LogFilter, part: LogRange, writer: LogWriter
) -> AsyncIterator[bytes]:
    """Output in the order it was stored, as `writer` has it."""
    values: dict[str, Any] = {"run_id": run_id, "stream": wanted.stream, "attempt": wanted.attempt}
    if (tasks := await task_ids(sessions, run_id, wanted)) is not None:
        values["tasks"] = tasks
    if part.backwards:
        rows = await _read(
            sessions, values, part, part.before, min(part.limit or PIECE_CHUNKS, MOST_BACKWARDS)
        )
        yield b"".join([writer.write(row) for row in reversed(rows)])
        yield writer.end()
        return
    cursor, left, piece = part.after or START, part.limit, PIECE_CHUNKS
    while left is None or left > 0:
        size = piece if left is None else min(left, piece)
        rows = await _read(sessions, values, part, cursor, size)
        written = b"".join([writer.write(row) for row in rows])
        yield written
        if len(rows) < size:
            break
        cursor, left = (rows[-1].xid, rows[-1].id), None if left is None else left - len(rows)
        piece = next_piece(piece, len(written) // size)
    yield writer.end()


def next_piece(piece: int, chunk_bytes: int) -> int:
    """How many chunks to read next, after `piece` of them weighed `chunk_bytes` each."""
    fitting = PIECE_BYTES // max(chunk_bytes, 1)
    return max(PIECE_CHUNKS, min(piece * 2, fitting, LARGEST_PIECE))


async def task_ids(sessions: Sessions, run_id: UUID, wanted: LogFilter) -> list[UUID] | None:
    """The tasks a filter names, so that their output is found without reading all others'."""
    if wanted.step_no is None and wanted.target is None:
        return None
    async with sessions() as session:
        values = {"run_id": run_id, "step_no": wanted.step_no, "target": wanted.target}
        return list(await session.scalars(_TASKS, values))


async def _read(
    sessions: Sessions,
    values: dict[str, Any],
    part: LogRange,
    cursor: Cursor | None,
    size: int,
) -> Sequence[Row[Any]]:
    statement = _COLUMNS + (_OF_TASKS if "tasks" in values else "") + (_SETTLED if part.settled else "")
    if cursor is not None:
        statement += _BEFORE if part.backwards else _AFTER
        values = values | {"xid": str(cursor[0]), "id": cursor[1]}
    direction = "DESC" if part.backwards else "ASC"
    statement += f" ORDER BY c.xid {direction}, c.id {direction} LIMIT :limit"
    async with sessions() as session:
        return (await session.execute(text(statement), values | {"limit": size})).all()
