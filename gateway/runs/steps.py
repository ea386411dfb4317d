"""The tasks of a run with the beginning of their output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs.states import TaskState
from gateway.runs.schemas import StepError, StepView
from gateway.runs.waiting import SESSIONS, WAITING, waiting_for

SHOWN_BYTES = 64 * 1024
"""Of each stream of each task on a page; the log has all of it."""

_TASKS = text(f"""
    SELECT t.id, t.step_no, t.ordinal, t.target_name, t.attempt, t.state, t.started_at, t.ended_at,
           t.exit_code, t.error, t.parked_by, a.started_at AS attempt_started_at, a.truncated,
           a.output_incomplete, a.outputs, a.progress, r.verdict,
           {WAITING}
      FROM tasks AS t
      {SESSIONS}
      LEFT JOIN attempts AS a ON a.task_id = t.id AND a.number = t.attempt
      LEFT JOIN resolutions AS r ON r.task_id = t.id
     WHERE t.run_id = :run_id
       AND (t.step_no, t.ordinal) > (CAST(:step_no AS int), CAST(:ordinal AS int))
       AND (CAST(:state AS text) IS NULL OR t.state = :state)
       AND (CAST(:target AS text) IS NULL OR t.target_name = :target)
     ORDER BY t.step_no, t.ordinal
     LIMIT :limit
""")  # noqa: S608  (our own columns)
_OUTPUT = text("""
    SELECT task_id, stream, data, before + octet_length(data) AS upto, total FROM (
        SELECT c.task_id, c.stream, c.seq, c.data,
               sum(octet_length(c.data)) OVER pieces - octet_length(c.data) AS before,
               sum(octet_length(c.data)) OVER whole AS total
          FROM unnest(CAST(:tasks AS uuid[]), CAST(:attempts AS int[])) AS asked (task_id, attempt)
          JOIN output_chunks AS c ON c.task_id = asked.task_id AND c.attempt = asked.attempt
        WINDOW whole AS (PARTITION BY c.task_id, c.stream), pieces AS (whole ORDER BY c.seq)
    ) AS chunks
     WHERE before < :shown
     ORDER BY task_id, stream, seq
""")


@dataclass(slots=True)
class _Shown:
    text: str = ""
    truncated: bool = False


async def list_steps(
    session: AsyncSession,
    run_id: UUID,
    definition: JobDefinition,
    *,
    after: tuple[int, ...] | None,
    limit: int,
    state: TaskState | None = None,
    target: str | None = None,
) -> list[tuple[StepView, tuple[int, int]]]:
    """Tasks in the order of steps with their places; one more than `limit` when there is a next page."""
    rows = (
        await session.execute(
            _TASKS,
            {
                "run_id": run_id,
                "step_no": after[0] if after else -1,
                "ordinal": after[1] if after else -1,
                "state": state.value if state else None,
                "target": target,
                "limit": limit + 1,
            },
        )
    ).all()
    output = await _output(session, rows[:limit])
    return [(_view(row, definition, output), (row.step_no, row.ordinal)) for row in rows]


async def _output(session: AsyncSession, rows: Sequence[Row[Any]]) -> Mapping[tuple[UUID, str], _Shown]:
    shown: dict[tuple[UUID, str], _Shown] = {}
    if not rows:
        return shown
    pieces = await session.execute(
        _OUTPUT,
        {
            "tasks": [row.id for row in rows],
            "attempts": [row.attempt for row in rows],
            "shown": SHOWN_BYTES,
        },
    )
    for piece in pieces:
        place = shown.setdefault((piece.task_id, piece.stream), _Shown())
        place.text += piece.data
        place.truncated = piece.total > SHOWN_BYTES
    for place in shown.values():
        if place.truncated:
            place.text = place.text.encode()[:SHOWN_BYTES].decode(errors="ignore")
    return shown


def _view(row: Row[Any], definition: JobDefinition, output: Mapping[tuple[UUID, str], _Shown]) -> StepView:
    step = definition.steps[row.step_no]
    stdout, stderr = output.get((row.id, "stdout"), _Shown()), output.get((row.id, "stderr"), _Shown())
    return StepView(
        task_id=row.id,
        step=step_name(step, row.step_no),
        type=step.type,
        target=row.target_name,
        attempt=row.attempt,
        status=TaskState(row.state),
        exit_code=row.exit_code,
        stdout=stdout.text,
        stdout_truncated=stdout.truncated,
        stderr=stderr.text,
        stderr_truncated=stderr.truncated,
        error=error_of(row.error),
        outputs=row.outputs,
        progress=row.progress if row.state == TaskState.RUNNING else None,
        resolution=row.verdict,
        parked_by=row.parked_by,
        waiting_for=waiting_for(row),
        started_at=row.attempt_started_at or row.started_at,
        finished_at=row.ended_at,
        truncated=bool(row.truncated),
        output_incomplete=bool(row.output_incomplete),
    )


def error_of(stored: Mapping[str, Any] | None) -> StepError | None:
    """The stored cause as it is shown."""
    if stored is None:
        return None
    return StepError(
        code=str(stored.get("code", "internal")),
        message=str(stored.get("message", "")),
        hint=stored.get("hint"),
    )
