"""Where in the output of a run a line stands, without sending what is before it."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from gateway.live.frames import event_id
from gateway.runs.log import LogFilter, task_ids
from infra.database import Sessions

MAX_LINE = 999_999_999

# A line begins with its first character, also where its stream ended the one before in an earlier chunk.
_PLACE = text(r"""
    WITH chunks AS MATERIALIZED (
        SELECT c.xid, c.id, c.task_id, c.attempt, c.stream, c.seq, right(c.data, 1) <> E'\n' AS open,
               octet_length(c.data) - octet_length(replace(c.data, E'\n', '')) AS breaks
          FROM output_chunks AS c
         WHERE c.run_id = :run_id AND c.data <> '' AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
           AND (CAST(:tasks AS uuid[]) IS NULL OR c.task_id = ANY(CAST(:tasks AS uuid[])))),
    begun AS (
        SELECT xid, id, breaks + open::int - COALESCE(lag(open) OVER stream, false)::int AS lines
          FROM chunks WINDOW stream AS (PARTITION BY task_id, attempt, stream ORDER BY seq)),
    counted AS (
        SELECT xid, id, lines, sum(lines) OVER (ORDER BY xid, id) AS upto,
               lag(xid) OVER (ORDER BY xid, id) AS xid_before, lag(id) OVER (ORDER BY xid, id) AS id_before
          FROM begun),
    place AS (
        SELECT * FROM counted
         WHERE lines > 0 AND upto >= least(:line, (SELECT max(upto) FROM counted)) ORDER BY xid, id LIMIT 1),
    latest AS (
        SELECT DISTINCT ON (c.task_id, c.attempt, c.stream) c.task_id, c.attempt, c.stream, c.open
          FROM chunks AS c, place WHERE (c.xid, c.id) < (place.xid, place.id)
         ORDER BY c.task_id, c.attempt, c.stream, c.seq DESC)
    SELECT xid_before::text::bigint AS xid, id_before AS id, upto - lines + 1 AS first_line,
           (SELECT max(upto) FROM counted) AS lines,
           ARRAY(SELECT jsonb_build_object('task_id', task_id, 'attempt', attempt, 'stream', stream)
                   FROM latest WHERE open ORDER BY task_id, attempt, stream) AS begun
      FROM place
""")


class OpenLine(BaseModel):
    """A stream that is in the middle of a line there: up to its next line break it goes on with that one."""

    task_id: UUID
    attempt: int
    stream: Literal["stdout", "stderr"]


class LogPlace(BaseModel):
    """Read the log `after` this (null: from its beginning), and the first line to begin is `first_line`.

    Lines are counted from 1, each where its first character stands in the order of the log. `lines` have
    begun so far; what is asked beyond them leads to the last.
    """

    after: str | None
    first_line: int
    lines: int
    begun: list[OpenLine]


async def place_of(sessions: Sessions, run_id: UUID, wanted: LogFilter, line: int, epoch: int) -> LogPlace:
    """The place of the chunk in which this line begins, among the output that `wanted` names."""
    values: dict[str, Any] = {"run_id": run_id, "line": line}
    values["tasks"] = await task_ids(sessions, run_id, wanted)
    async with sessions() as session:
        row = (await session.execute(_PLACE, values)).one_or_none()
    if row is None:
        return LogPlace(after=None, first_line=1, lines=0, begun=[])
    return LogPlace(
        after=None if row.id is None else event_id(epoch, (row.xid, row.id)),
        first_line=row.first_line,
        lines=row.lines,
        begun=[OpenLine(**stream) for stream in row.begun],
    )
