"""A run as targets by steps, compact enough for thousands of targets."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs.states import TaskState
from gateway.runs.waiting import SESSIONS, WAITING, waiting_for

_ROWS = text(f"""
    WITH own AS MATERIALIZED (
        SELECT tasks.*, COALESCE(target_name, '') AS row_name FROM tasks
         WHERE run_id = :run_id
           AND (CAST(:after AS text) IS NULL OR COALESCE(target_name, '') > :after)
           AND (CAST(:q AS text) IS NULL OR position(lower(:q) IN lower(target_name)) > 0)),
    looked_at AS (
        SELECT own.*, bool_or(state = ANY(:states)) OVER (PARTITION BY row_name) AS wanted FROM own),
    numbered AS (
        SELECT looked_at.*, dense_rank() OVER (ORDER BY row_name) AS place FROM looked_at
         WHERE CAST(:states AS text[]) IS NULL OR wanted),
    page AS MATERIALIZED (SELECT * FROM numbered WHERE place <= :limit)
    SELECT t.row_name AS name, t.id, t.step_no, t.target_id, t.target_name, t.state, t.attempt, t.exit_code,
           t.started_at, t.ended_at, t.error ->> 'code' AS code, t.parked_by, r.verdict,
           {WAITING}
      FROM page AS t
      LEFT JOIN resolutions AS r ON r.task_id = t.id
      {SESSIONS}
     ORDER BY t.row_name, t.step_no
""")  # noqa: S608  (our own columns)
"""Tasks are read once and joined to nothing of their own: of a run that has just begun on thousands of
targets PostgreSQL knows nothing yet, and would look at all its tasks again for each of its targets."""


class MatrixStep(BaseModel):
    name: str
    type: str
    needs: list[str] | None


class MatrixCell(BaseModel):
    """One task; fields that say nothing are left out. `step` counts from 0."""

    task_id: UUID
    step: int
    state: TaskState
    attempt: int
    exit_code: int | None = None
    code: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    waiting_for: str | None = None
    resolution: Literal["succeeded", "failed"] | None = None


class MatrixRow(BaseModel):
    """One target with the tasks it has; `target` is left out for steps that run without any."""

    target: str | None = None
    target_id: UUID | None = None
    cells: list[MatrixCell]


class MatrixView(BaseModel):
    """Rows in the order of target names."""

    steps: list[MatrixStep]
    items: list[MatrixRow]
    next_cursor: str | None


async def read_rows(
    session: AsyncSession,
    run_id: UUID,
    *,
    after: str | None,
    states: Sequence[TaskState],
    q: str | None,
    limit: int,
) -> list[MatrixRow]:
    """Targets after `after` of which any task is in one of `states`; one more when there is a next page."""
    rows = await session.execute(
        _ROWS,
        {
            "run_id": run_id,
            "after": after,
            "q": q or None,
            "states": [state.value for state in states] or None,
            "limit": limit + 1,
        },
    )
    return [_row(name, list(tasks)) for name, tasks in groupby(rows, key=lambda row: row.name)]


def steps_of(definition: JobDefinition) -> list[MatrixStep]:
    """The columns."""
    return [
        MatrixStep(
            name=step_name(step, index),
            type=step.type,
            needs=None if step.needs is None else list(step.needs),
        )
        for index, step in enumerate(definition.steps)
    ]


def _row(name: str, tasks: Sequence[Row[Any]]) -> MatrixRow:
    return MatrixRow(target=name or None, target_id=tasks[0].target_id, cells=[_cell(row) for row in tasks])


def _cell(row: Row[Any]) -> MatrixCell:
    return MatrixCell(
        task_id=row.id,
        step=row.step_no,
        state=TaskState(row.state),
        attempt=row.attempt,
        exit_code=row.exit_code,
        code=row.code,
        started_at=row.started_at,
        ended_at=row.ended_at,
        waiting_for=waiting_for(row),
        resolution=row.verdict,
    )
