"""What the orchestrator reads and writes, in lists: one statement for many runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.limits import TARGETS_PER_RUN
from contracts.runs.states import RunStatus, TaskState
from contracts.targets.choosing import TargetQuery
from contracts.targets.query import parse_query
from contracts.targets.selecting import condition
from infra.database import Statements
from infra.ids import uuid7
from workers.orchestrator.layout import KnownTarget, Place
from workers.orchestrator.plan import Settled


@dataclass(frozen=True, slots=True)
class LockedRun:
    """A run whose row this transaction holds."""

    id: UUID
    project_id: UUID
    job_id: UUID
    job_version: int
    status: RunStatus
    targets: list[str] | None
    target_query: dict[str, Any] | None
    tally: list[dict[str, int]] | None
    correlation_id: UUID
    requested_by: str
    cancel_requested: bool
    only_targets: list[str] | None
    from_step: int | None

    @property
    def definition_key(self) -> tuple[UUID, int]:
        return self.job_id, self.job_version

    @property
    def chosen(self) -> list[str] | TargetQuery | None:
        """The targets chosen for this run in place of the job's."""
        return self.targets if self.target_query is None else TargetQuery.model_validate(self.target_query)


@dataclass(frozen=True, slots=True)
class Released:
    run_id: UUID
    task_id: UUID
    pool: str
    due: datetime | None = None
    """When it may start, if not at once."""


@dataclass(frozen=True, slots=True)
class RunChange:
    """The new face of a run's row."""

    run_id: UUID
    status: RunStatus
    tally: list[dict[str, int]]
    ended: bool
    reason: str | None = None


_LOCK = """
    SELECT id, project_id, job_id, job_version, status, targets, target_query, tally, correlation_id,
           requested_by, cancel_requested_at IS NOT NULL AS cancel_requested, only_targets, from_step
      FROM runs WHERE id = ANY(CAST(:ids AS uuid[])) AND parked_by IS NULL AND {which}
     ORDER BY id FOR UPDATE
"""
_LOCK_REQUESTED = text(_LOCK.format(which="status = 'requested'"))
_LOCK_OPEN = text(_LOCK.format(which="ended_at IS NULL AND status <> 'requested'"))


async def lock_requested(session: Statements, run_ids: Iterable[UUID]) -> list[LockedRun]:
    """Lock those of the runs that nobody has planned yet, in key order."""
    return await _lock(session, _LOCK_REQUESTED, run_ids)


async def lock_open(session: Statements, run_ids: Iterable[UUID]) -> list[LockedRun]:
    """Lock those of the runs that are under way, in key order."""
    return await _lock(session, _LOCK_OPEN, run_ids)


async def _lock(session: Statements, statement: Any, run_ids: Iterable[UUID]) -> list[LockedRun]:
    rows = await session.execute(statement, {"ids": sorted(set(run_ids))})
    return [LockedRun(**(dict(row) | {"status": RunStatus(row["status"])})) for row in rows.mappings()]


async def find_targets(
    session: Statements, wanted: Mapping[UUID, set[str]]
) -> dict[UUID, dict[str, KnownTarget]]:
    """By project, the targets with these names."""
    found: dict[UUID, dict[str, KnownTarget]] = {project: {} for project in wanted}
    pairs = [(project, name) for project, names in wanted.items() for name in names]
    if not pairs:
        return found
    rows = await session.execute(
        text("""
            SELECT t.project_id, t.id, t.name, t.pool FROM targets AS t
              JOIN unnest(CAST(:projects AS uuid[]), CAST(:names AS text[])) AS w (project_id, name)
                ON t.project_id = w.project_id AND t.name = w.name
             WHERE t.archived_at IS NULL
        """),
        {"projects": [project for project, _ in pairs], "names": [name for _, name in pairs]},
    )
    for row in rows:
        found[row.project_id][row.name] = KnownTarget(row.id, row.name, row.pool)
    return found


async def query_targets(
    session: Statements, wanted: Mapping[UUID, set[str]]
) -> dict[UUID, dict[str, list[KnownTarget]]]:
    """By project and query, the targets that fit now, by name; one more than a run may have at most."""
    found: dict[UUID, dict[str, list[KnownTarget]]] = {project: {} for project in wanted}
    for project, queries in wanted.items():
        for query in sorted(queries):
            fits = condition(parse_query(query), table="t")
            rows = await session.execute(
                text(f"""
                    SELECT t.id, t.name, t.pool FROM targets AS t
                     WHERE t.project_id = :project AND t.archived_at IS NULL AND {fits.sql}
                     ORDER BY t.name LIMIT :limit
                """),  # noqa: S608  (the condition holds no value, only names of parameters)
                fits.values | {"project": project, "limit": TARGETS_PER_RUN + 1},
            )
            found[project][query] = [KnownTarget(row.id, row.name, row.pool) for row in rows]
    return found


async def insert_tasks(session: Statements, tasks: Sequence[tuple[UUID, Place, TaskState]]) -> list[Released]:
    """Insert (run, place, first state) rows; those born `ready` are returned."""
    ids = [uuid7() for _ in tasks]
    await session.execute(
        text("""
            INSERT INTO tasks (id, run_id, step_no, ordinal, target_id, target_name, pool, state)
            SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:runs AS uuid[]), CAST(:steps AS smallint[]),
                CAST(:ordinals AS int[]), CAST(:targets AS uuid[]), CAST(:names AS text[]),
                CAST(:pools AS text[]), CAST(:states AS text[]))
        """),
        {
            "ids": ids,
            "runs": [run_id for run_id, _, _ in tasks],
            "steps": [place.step_no for _, place, _ in tasks],
            "ordinals": [place.ordinal for _, place, _ in tasks],
            "targets": [place.target.id if place.target else None for _, place, _ in tasks],
            "names": [place.target.name if place.target else None for _, place, _ in tasks],
            "pools": [place.pool for _, place, _ in tasks],
            "states": [state.value for _, _, state in tasks],
        },
    )
    return [
        Released(run_id, task_id, place.pool)
        for task_id, (run_id, place, state) in zip(ids, tasks, strict=True)
        if state is TaskState.READY
    ]


async def take_settled(session: Statements, run_ids: Iterable[UUID]) -> dict[UUID, list[Settled]]:
    """Read and clear what settled since the last plan. The run rows must be locked before."""
    rows = await session.execute(
        text("""
            UPDATE tasks SET unplanned = false
             WHERE run_id = ANY(CAST(:ids AS uuid[])) AND unplanned
            RETURNING run_id, id, step_no, state, attempt
        """),
        {"ids": list(run_ids)},
    )
    fresh: dict[UUID, list[Settled]] = {}
    for row in rows:
        settled = Settled(
            task_id=row.id, step_no=row.step_no, state=TaskState(row.state), attempt=row.attempt
        )
        fresh.setdefault(row.run_id, []).append(settled)
    return fresh


async def release(session: Statements, wanted: Sequence[tuple[UUID, int, int]]) -> list[Released]:
    """Make the next tasks of (run, step, count) ready, in order.

    A task that settled after this plan read what had settled is not `pending` in its sense: the next plan's.
    """
    if not wanted:
        return []
    rows = await session.execute(
        text("""
            UPDATE tasks SET state = 'ready', not_before = now()
             WHERE id IN (
                SELECT next.id
                  FROM unnest(CAST(:runs AS uuid[]), CAST(:steps AS smallint[]), CAST(:counts AS int[]))
                       AS w (run_id, step_no, count),
                       LATERAL (SELECT id FROM tasks
                                 WHERE run_id = w.run_id AND step_no = w.step_no AND state = 'pending'
                                   AND NOT unplanned
                                 ORDER BY ordinal LIMIT w.count) AS next)
            RETURNING run_id, id, pool
        """),
        {
            "runs": [run_id for run_id, _, _ in wanted],
            "steps": [step_no for _, step_no, _ in wanted],
            "counts": [count for _, _, count in wanted],
        },
    )
    return [Released(row.run_id, row.id, row.pool) for row in rows]


async def retry(
    session: Statements, run_id: UUID, retries: Sequence[tuple[UUID, datetime]]
) -> list[Released]:
    """Give these tasks another attempt, each not before its time."""
    rows = await session.execute(
        text("""
            UPDATE tasks SET state = 'ready', not_before = w.due
              FROM unnest(CAST(:ids AS uuid[]), CAST(:dues AS timestamptz[])) AS w (id, due)
             WHERE tasks.id = w.id AND tasks.state = 'pending'
            RETURNING tasks.id, tasks.pool, tasks.not_before
        """),
        {"ids": [task_id for task_id, _ in retries], "dues": [due for _, due in retries]},
    )
    return [Released(run_id, row.id, row.pool, row.not_before) for row in rows]


async def end_unstarted(
    session: Statements, run_id: UUID, *, end: TaskState
) -> dict[tuple[int, TaskState, TaskState], int]:
    """Bring what has not started to its end; how many per step, former state and end.

    A task that is skipped while it waits for another attempt ends as failed, as its last attempt did. One
    that settled after this plan read what had settled is left to the next plan, which counts it.
    """
    rows = await session.execute(
        text("""
            WITH before AS (
                SELECT id, step_no, state FROM tasks
                 WHERE run_id = :run_id AND state IN ('pending', 'ready') AND NOT unplanned
                 ORDER BY id FOR UPDATE),
            done AS (
                UPDATE tasks SET ended_at = now(),
                       state = CASE WHEN attempt > 0 AND :end = 'skipped' THEN 'failed' ELSE :end END
                  FROM before WHERE tasks.id = before.id
                RETURNING before.step_no, before.state, tasks.state AS end)
            SELECT step_no, state, "end", count(*) AS moved FROM done GROUP BY step_no, state, "end"
        """),
        {"run_id": run_id, "end": end.value},
    )
    return {(row.step_no, TaskState(row.state), TaskState(row.end)): row.moved for row in rows}


async def give_up(session: Statements, task_ids: Sequence[UUID]) -> None:
    """Tasks whose last attempt failed and that get no further one end as that attempt did."""
    await session.execute(
        text("""
            UPDATE tasks SET state = 'failed', ended_at = now()
             WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'pending'
        """),
        {"ids": list(task_ids)},
    )


async def change_runs(session: Statements, changes: Sequence[RunChange]) -> None:
    """Write run rows and one event each. The rows must be locked."""
    if not changes:
        return
    await session.execute(
        text("""
            WITH w AS (
                SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]),
                    CAST(:tallies AS text[]), CAST(:ended AS bool[]), CAST(:reasons AS text[]))
                    AS w (id, status, tally, ended, reason)),
            changed AS (
                UPDATE runs SET status = w.status, tally = w.tally::jsonb, wake_at = NULL,
                       started_at = COALESCE(started_at, now()),
                       ended_at = CASE WHEN w.ended THEN now() END,
                       reason = COALESCE(w.reason, runs.reason)
                  FROM w WHERE runs.id = w.id)
            INSERT INTO run_events (run_id, kind, event)
            SELECT id, 'run', jsonb_strip_nulls(jsonb_build_object(
                'status', status, 'tally', tally::jsonb, 'reason', reason)) FROM w
        """),
        {
            "ids": [change.run_id for change in changes],
            "statuses": [change.status.value for change in changes],
            "tallies": [orjson.dumps(change.tally).decode() for change in changes],
            "ended": [change.ended for change in changes],
            "reasons": [change.reason for change in changes],
        },
    )
