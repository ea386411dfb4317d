"""Starting and advancing runs, many in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from contracts.jobs.definition import JobDefinition
from contracts.limits import TASKS_PER_MESSAGE
from contracts.messages import Meta
from contracts.runs.messages import ExecuteTasks
from contracts.runs.states import RUN_TERMINAL, RunStatus, TaskState, advance
from contracts.tables.base import SYSTEM_PRINCIPAL
from infra.clock import now
from infra.database import Statements
from infra.unit_of_work import OpenPlainUnitOfWork, PlainUnitOfWork, new_meta
from workers.definitions import Definitions, Key
from workers.orchestrator import store
from workers.orchestrator.layout import (
    CannotLayOut,
    Known,
    Part,
    Place,
    lay_out,
    wanted_names,
    wanted_queries,
)
from workers.orchestrator.plan import (
    Decision,
    StepTally,
    Tally,
    dump_tally,
    load_tally,
    plan,
    released,
    step_plans,
    verdict,
    without_unstarted,
)
from workers.orchestrator.store import LockedRun, Released, RunChange

log = structlog.get_logger()


async def start_runs(
    run_ids: Sequence[UUID], *, open_uow: OpenPlainUnitOfWork, definitions: Definitions
) -> None:
    """Plan requested runs and release their first tasks; runs that were started before are left alone."""
    async with open_uow() as uow:
        runs = await store.lock_requested(uow.session, run_ids)
        found = await definitions.of(uow.session, [run.definition_key for run in runs])
        known = await _known_targets(uow.session, runs, found)
        starts = [_start(run, found[run.definition_key], known[run.project_id]) for run in runs]
        rows = [
            (run.id, place, state)
            for run, start in zip(runs, starts, strict=True)
            for place, state in start.places
        ]
        ready = await store.insert_tasks(uow.session, rows) if rows else []
        await store.change_runs(uow.session, [start.change for start in starts])
        empty = [_left_out(run, start) for run, start in zip(runs, starts, strict=True)]
        await store.change_runs(uow.session, [end for end in empty if end is not None])
        _announce(uow, runs, ready)


async def _known_targets(
    session: Statements, runs: Sequence[LockedRun], definitions: Mapping[Key, JobDefinition]
) -> Mapping[UUID, Known]:
    """By project, the targets that the runs name or ask for."""
    names: dict[UUID, set[str]] = {run.project_id: set() for run in runs}
    queries: dict[UUID, set[str]] = {run.project_id: set() for run in runs}
    for run in runs:
        definition = definitions[run.definition_key]
        names[run.project_id] |= wanted_names(definition, run.chosen)
        queries[run.project_id] |= wanted_queries(definition, run.chosen)
    by_name = await store.find_targets(session, names)
    by_query = await store.query_targets(session, queries)
    return {project: Known(by_name[project], by_query[project]) for project in names}


class _Start:
    """How one run begins: its tasks with their first states, and its row."""

    def __init__(self, places: list[tuple[Place, TaskState]], change: RunChange) -> None:
        self.places = places
        self.change = change


def _start(run: LockedRun, definition: JobDefinition, known: Known) -> _Start:
    if run.cancel_requested:
        return _Start([], _ended(run, RunStatus.CANCELLED, "Cancelled before it started."))
    try:
        places = lay_out(definition, run.chosen, known, _part(run))
    except CannotLayOut as error:
        return _Start([], _ended(run, RunStatus.FAILED, str(error)))
    steps = step_plans(definition)
    sizes = Counter(place.step_no for place in places)
    tally: Tally = tuple(StepTally(pending=sizes[number]) for number in range(len(steps)))
    releases = plan(steps, tally, [], cancel_requested=False, now=now()).releases
    change = RunChange(
        run.id, advance(run.status, RunStatus.RUNNING), dump_tally(released(tally, releases)), ended=False
    )
    states = [
        TaskState.READY if place.ordinal < releases.get(place.step_no, 0) else TaskState.PENDING
        for place in places
    ]
    return _Start(list(zip(places, states, strict=True)), change)


def _part(run: LockedRun) -> Part:
    only = frozenset(run.only_targets) if run.only_targets is not None else None
    return Part(only, run.from_step)


def _ended(run: LockedRun, status: RunStatus, reason: str) -> RunChange:
    return RunChange(run.id, advance(run.status, status), [], ended=True, reason=reason)


def _left_out(run: LockedRun, start: _Start) -> RunChange | None:
    """The end of a run without tasks: no query fits any target, and each says to leave its steps out then."""
    if start.places or start.change.ended:
        return None
    reason = "No target fits the queries of this run; every step was left out."
    status = advance(start.change.status, RunStatus.SUCCEEDED)
    return RunChange(run.id, status, start.change.tally, ended=True, reason=reason)


async def advance_runs(
    run_ids: Sequence[UUID], *, open_uow: OpenPlainUnitOfWork, definitions: Definitions
) -> None:
    """Count what settled, decide, and write; the run rows are locked before anything is read."""
    async with open_uow() as uow:
        runs = await store.lock_open(uow.session, run_ids)
        if not runs:
            return
        found = await definitions.of(uow.session, [run.definition_key for run in runs])
        fresh = await store.take_settled(uow.session, [run.id for run in runs])
        ready: list[Released] = []
        changes: list[RunChange] = []
        wanted: list[tuple[UUID, int, int]] = []
        for run in runs:
            steps = step_plans(found[run.definition_key])
            before = load_tally(run.tally or [])
            decision = plan(
                steps, before, fresh.get(run.id, []), cancel_requested=run.cancel_requested, now=now()
            )
            tally, retried = await _apply(uow, run, decision)
            ready += retried
            wanted += [(run.id, step_no, count) for step_no, count in decision.releases.items()]
            status = verdict(steps, tally, cancel_requested=run.cancel_requested) or _under_way(run)
            if status is not run.status or tally != before:
                changes.append(_change(run, status, tally))
        ready += await store.release(uow.session, wanted)
        await store.change_runs(uow.session, changes)
        _announce(uow, runs, ready)
    _note_moved(runs, changes)


async def _apply(uow: PlainUnitOfWork, run: LockedRun, decision: Decision) -> tuple[Tally, list[Released]]:
    """Write what a decision says about tasks; the tally with everything counted, and what was retried."""
    retried: list[Released] = []
    tally = released(decision.tally, decision.releases)
    if decision.retries:
        retried = await store.retry(uow.session, run.id, decision.retries)
    if decision.give_ups:
        await store.give_up(uow.session, decision.give_ups)
    if decision.end_unstarted is not None:
        ended = await store.end_unstarted(uow.session, run.id, end=decision.end_unstarted)
        tally = without_unstarted(tally, ended)
    return tally, retried


def _under_way(run: LockedRun) -> RunStatus:
    if run.cancel_requested and run.status is not RunStatus.CANCELLING:
        return RunStatus.CANCELLING
    return run.status


def _change(run: LockedRun, status: RunStatus, tally: Tally) -> RunChange:
    if status is not run.status:
        advance(run.status, status)
    return RunChange(run.id, status, dump_tally(tally), ended=status in RUN_TERMINAL)


def _note_moved(runs: Sequence[LockedRun], changes: Sequence[RunChange]) -> None:
    """One line per new status and transaction: a line per run would cost a tenth of what runs cost."""
    former = {run.id: run.status for run in runs}
    moved: dict[str, list[str]] = {}
    for change in changes:
        if change.status is not former[change.run_id]:
            moved.setdefault(change.status.value, []).append(str(change.run_id))
    for status, run_ids in moved.items():
        log.info("runs.changed", status=status, run_ids=run_ids)


def _announce(uow: PlainUnitOfWork, runs: Sequence[LockedRun], ready: Sequence[Released]) -> None:
    """Ring executors for ready tasks when they are due, in chunks by pool, and the streams."""
    by_id = {run.id: run for run in runs}
    by_place: dict[tuple[str, datetime | None], list[Released]] = {}
    for task in ready:
        by_place.setdefault((task.pool, task.due), []).append(task)
    for (pool, due), tasks in by_place.items():
        for start in range(0, len(tasks), TASKS_PER_MESSAGE):
            chunk = tasks[start : start + TASKS_PER_MESSAGE]
            concerned = [by_id[run_id] for run_id in {task.run_id for task in chunk}]
            command = ExecuteTasks(
                run_id=concerned[0].id if len(concerned) == 1 else None,
                pool=pool,
                task_ids=tuple(task.task_id for task in chunk),
            )
            uow.emit(command, _meta(concerned), due=due)
    for run in runs:
        uow.touch(run.id)


def _meta(runs: Sequence[LockedRun]) -> Meta:
    """The story of the one run that a message is about; several have none in common."""
    if len(runs) > 1:
        return new_meta(principal=SYSTEM_PRINCIPAL)
    return new_meta(principal=runs[0].requested_by, correlation_id=runs[0].correlation_id)
