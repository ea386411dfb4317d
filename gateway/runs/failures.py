"""What went wrong, grouped by cause: five hundred targets that failed alike are one line."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs.states import TaskState

MAX_GROUPS = 100
SHOWN_TARGETS = 20

PATTERN = r"""regexp_replace(
               CASE WHEN t.target_name IS NULL OR t.target_name = '' THEN COALESCE(t.error ->> 'message', '')
                    ELSE replace(COALESCE(t.error ->> 'message', ''), t.target_name, '…') END,
               '\m(0x[0-9a-fA-F]+|[0-9a-fA-F]*[0-9][0-9a-fA-F.]*)\M', '#', 'g')"""
"""A message over `tasks AS t` without what differs from target to target: its name, numbers, addresses."""

_GROUPS = text(f"""
    SELECT step_no, state, code, pattern, exit_code, count(*) AS count, min(message) AS message,
           min(hint) AS hint, min(ended_at) AS first_at, max(ended_at) AS last_at,
           count(*) FILTER (WHERE verdict IS NOT NULL) AS resolved,
           (array_agg(target_name ORDER BY ordinal))[1:{SHOWN_TARGETS}] AS targets,
           (array_agg(id ORDER BY ordinal))[1:{SHOWN_TARGETS}] AS task_ids
      FROM (SELECT t.id, t.step_no, t.ordinal, t.state, t.target_name, t.exit_code, t.ended_at, r.verdict,
                   t.error ->> 'code' AS code, t.error ->> 'message' AS message, t.error ->> 'hint' AS hint,
                   {PATTERN} AS pattern
              FROM tasks AS t LEFT JOIN resolutions AS r ON r.task_id = t.id
             WHERE t.run_id = :run_id AND t.state IN ('failed', 'timed_out', 'unknown')) AS bad
     GROUP BY step_no, state, code, pattern, exit_code
     ORDER BY count(*) DESC, step_no
     LIMIT {MAX_GROUPS + 1}
""")  # noqa: S608  (our own expression)


class FailureGroup(BaseModel):
    """Tasks that went wrong alike. `pattern` is the message without names and numbers, `message` one of
    the messages, `targets` and `task_ids` the first twenty; `resolved` of the unknown ones were settled."""

    step: str
    state: TaskState
    code: str | None
    pattern: str
    message: str | None
    hint: str | None
    exit_code: int | None
    count: int
    resolved: int
    targets: list[str]
    task_ids: list[UUID]
    first_at: datetime | None
    last_at: datetime | None


class FailuresView(BaseModel):
    """The largest group first."""

    total: int
    items: list[FailureGroup]
    truncated: bool


async def read_failures(session: AsyncSession, run_id: UUID, definition: JobDefinition) -> FailuresView:
    """Failed, timed-out and unknown tasks of a run by cause."""
    rows = (await session.execute(_GROUPS, {"run_id": run_id})).all()
    shown = rows[:MAX_GROUPS]
    return FailuresView(
        total=sum(row.count for row in shown),
        items=[_group(row, definition) for row in shown],
        truncated=len(rows) > MAX_GROUPS,
    )


def _group(row: Row[Any], definition: JobDefinition) -> FailureGroup:
    return FailureGroup(
        step=step_name(definition.steps[row.step_no], row.step_no),
        state=TaskState(row.state),
        code=row.code,
        pattern=row.pattern,
        message=row.message,
        hint=row.hint,
        exit_code=row.exit_code,
        count=row.count,
        resolved=row.resolved,
        targets=[name for name in row.targets if name is not None],
        task_ids=row.task_ids,
        first_at=row.first_at,
        last_at=row.last_at,
    )
