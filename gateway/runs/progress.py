"""How far runs are, from what the planner counted, without counting their tasks."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.definition import JobDefinition
from contracts.runs.states import TASK_TERMINAL, TaskState
from contracts.targets.choosing import names_in
from gateway.runs.schemas import ProgressView

_ENDS = tuple(state.value for state in TASK_TERMINAL)

_HELD = text("""
    WITH held AS MATERIALIZED (SELECT run_id FROM tasks WHERE state = 'running')
    SELECT run_id, count(*) AS running FROM held WHERE run_id = ANY(CAST(:runs AS uuid[])) GROUP BY run_id
""")


async def running_tasks(session: AsyncSession, run_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Of each run the tasks executors hold: read from the index of held tasks, as many as there are slots."""
    if not run_ids:
        return {}
    rows = await session.execute(_HELD, {"runs": list(run_ids)})
    return {row.run_id: row.running for row in rows}


def progress_of(tally: Sequence[Mapping[str, int]] | None, *, running: int) -> ProgressView:
    """The sums of a tally; of what is `open`, `running` tasks are held and the others wait for a slot."""
    sums = dict.fromkeys((*_ENDS, "pending", "open"), 0)
    for step in tally or ():
        for name, count in step.items():
            sums[name] = sums.get(name, 0) + count
    opened = sums.pop("open")
    held = min(running, opened)
    return ProgressView(**sums, running=held, ready=opened - held, total=sum(sums.values()) + opened)


def progress_from_tasks(counts: Mapping[TaskState, int]) -> ProgressView:
    """The exact progress of one run."""
    return ProgressView(**{state.value: count for state, count in counts.items()}, total=sum(counts.values()))


def targets_count(
    definition: JobDefinition, chosen: int | None, tally: Sequence[Mapping[str, int]] | None
) -> int:
    """Targets of the widest step; before anything is planned the names in the request
    or the definition: what a query will find is not known yet."""
    if tally:
        return max(sum(step.values()) for step in tally)
    own = max((len(names_in(step.target)) for step in definition.steps), default=0)
    inherits = any(step.target is None for step in definition.steps)
    return max(own, (len(names_in(definition.targets)) if chosen is None else chosen) if inherits else 0)
