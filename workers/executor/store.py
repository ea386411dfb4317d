"""What executors write, in lists: handles, output and settlements.

All of it is guarded by (task, fence, worker): a worker that lost a task changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.runs.states import TASK_TERMINAL, TaskState
from infra.database import Statements
from workers.executor.holds import Rejected
from workers.executor.output import Chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended and what that makes of its task."""

    task_id: UUID
    run_id: UUID
    attempt: int
    fence: int
    task_state: TaskState
    attempt_state: TaskState
    exit_code: int | None = None
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] | None = None
    """New facts of the task's target."""
    truncated: bool = False
    output_incomplete: bool = False
    correlation_id: UUID
    requested_by: str
    rejected: Rejected | None = None
    """What the target said of the credential, when that is how it ended."""


async def store_handles(
    session: Statements, *, worker_id: UUID, handles: Sequence[tuple[UUID, int, int, str]]
) -> set[UUID]:
    """Store (task, attempt, fence, handle as JSON); the tasks that are still ours."""
    rows = await session.scalars(
        text("""
            WITH w AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS smallint[]),
                           CAST(:fences AS bigint[]), CAST(:handles AS text[]))
                       AS w (id, attempt, fence, handle)),
            ours AS (
                SELECT t.id FROM tasks AS t JOIN w ON w.id = t.id AND w.fence = t.fence
                 WHERE t.state = 'running' AND t.worker_id = :worker_id ORDER BY t.id FOR SHARE OF t),
            stored AS (
                UPDATE attempts SET handle = w.handle::jsonb FROM w JOIN ours ON ours.id = w.id
                 WHERE attempts.task_id = w.id AND attempts.number = w.attempt)
            SELECT id FROM ours
        """),
        {
            "worker_id": worker_id,
            "ids": [task_id for task_id, _, _, _ in handles],
            "attempts": [attempt for _, attempt, _, _ in handles],
            "fences": [fence for _, _, fence, _ in handles],
            "handles": [handle for _, _, _, handle in handles],
        },
    )
    return set(rows)


async def store_chunks(session: Statements, *, worker_id: UUID, chunks: Sequence[Chunk]) -> set[UUID]:
    """Append output; the tasks that are still ours. A chunk that was stored before is recognised."""
    rows = await session.scalars(
        text("""
            WITH w AS (SELECT * FROM unnest(CAST(:tasks AS uuid[]), CAST(:runs AS uuid[]),
                           CAST(:attempts AS int[]), CAST(:fences AS bigint[]), CAST(:seqs AS int[]),
                           CAST(:streams AS text[]), CAST(:datas AS text[]), CAST(:ends AS bigint[]),
                           CAST(:times AS timestamptz[]))
                       WITH ORDINALITY
                       AS w (task_id, run_id, attempt, fence, seq, stream, data, source_end, at, place)),
            ours AS (
                SELECT t.id, t.fence FROM tasks AS t
                 WHERE t.id IN (SELECT task_id FROM w) AND t.state = 'running' AND t.worker_id = :worker_id
                 ORDER BY t.id FOR SHARE),
            stored AS (
                INSERT INTO output_chunks
                       (task_id, run_id, attempt, seq, stream, data, source_end, occurred_at)
                SELECT w.task_id, run_id, attempt, seq, stream, data, source_end, at
                  FROM w JOIN ours ON ours.id = w.task_id AND ours.fence = w.fence
                 ORDER BY place
                ON CONFLICT DO NOTHING)
            SELECT DISTINCT w.task_id FROM w JOIN ours ON ours.id = w.task_id AND ours.fence = w.fence
        """),
        {
            "worker_id": worker_id,
            "tasks": [chunk.task_id for chunk in chunks],
            "runs": [chunk.run_id for chunk in chunks],
            "attempts": [chunk.attempt for chunk in chunks],
            "fences": [chunk.fence for chunk in chunks],
            "seqs": [chunk.seq for chunk in chunks],
            "streams": [chunk.stream for chunk in chunks],
            "datas": [chunk.data for chunk in chunks],
            "ends": [chunk.source_end for chunk in chunks],
            "times": [chunk.occurred_at for chunk in chunks],
        },
    )
    return set(rows)


async def settle(session: Statements, settlements: Sequence[Settlement]) -> set[UUID]:
    """Write how attempts ended; the tasks that were still ours, or that this very settlement ended before."""
    rows = await session.scalars(
        text("""
            WITH w AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS smallint[]),
                           CAST(:fences AS bigint[]), CAST(:states AS text[]), CAST(:ended AS bool[]),
                           CAST(:attempt_states AS text[]), CAST(:codes AS bigint[]), CAST(:errors AS text[]),
                           CAST(:outputs AS text[]), CAST(:truncated AS bool[]), CAST(:incomplete AS bool[]))
                       AS w (id, attempt, fence, state, ended, attempt_state, exit_code, error,
                             outputs, truncated, incomplete)),
            ours AS (
                SELECT t.id, t.state FROM tasks AS t JOIN w ON w.id = t.id AND w.fence = t.fence
                 ORDER BY t.id FOR UPDATE OF t),
            done AS (
                UPDATE tasks SET state = w.state, unplanned = true, worker_id = NULL,
                       ended_at = CASE WHEN w.ended THEN now() END,
                       exit_code = w.exit_code, error = w.error::jsonb
                  FROM w JOIN ours ON ours.id = w.id
                 WHERE tasks.id = w.id AND ours.state = 'running'
                RETURNING tasks.*),
            closed AS (
                UPDATE attempts SET state = w.attempt_state, ended_at = now(), exit_code = w.exit_code,
                       error = w.error::jsonb, outputs = w.outputs::jsonb, truncated = w.truncated,
                       output_incomplete = output_incomplete OR w.incomplete
                  FROM w JOIN done ON done.id = w.id
                 WHERE attempts.task_id = w.id AND attempts.number = w.attempt),
            told AS (
                INSERT INTO run_events (run_id, kind, event)
                SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_agg(jsonb_strip_nulls(
                           jsonb_build_object('task', id, 'step_no', step_no, 'target', target_name,
                               'state', state, 'attempt', attempt, 'exit_code', exit_code, 'error', error))))
                  FROM done GROUP BY run_id)
            SELECT ours.id FROM ours JOIN w ON w.id = ours.id
             WHERE ours.state = 'running' OR ours.state = w.state
        """),
        {
            "ids": [s.task_id for s in settlements],
            "attempts": [s.attempt for s in settlements],
            "fences": [s.fence for s in settlements],
            "states": [s.task_state.value for s in settlements],
            "ended": [s.task_state in TASK_TERMINAL for s in settlements],
            "attempt_states": [s.attempt_state.value for s in settlements],
            "codes": [s.exit_code for s in settlements],
            "errors": [orjson.dumps(s.error).decode() if s.error else None for s in settlements],
            "outputs": [orjson.dumps(s.outputs).decode() if s.outputs else None for s in settlements],
            "truncated": [s.truncated for s in settlements],
            "incomplete": [s.output_incomplete for s in settlements],
        },
    )
    return set(rows)
