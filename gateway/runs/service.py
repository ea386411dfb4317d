"""What the API lets people do to runs. No HTTP in here."""

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text

from contracts.errors import Conflict, FieldProblem, Invalid, NotFound, Unavailable
from contracts.runs.messages import AdvanceRun, CancelRequested
from contracts.runs.states import RunTrigger, TaskState
from contracts.tables.runs import ResolutionRow, RunRow, TaskRow
from contracts.targets.choosing import ChosenTargets, TargetQuery, names_in
from gateway.auditing import audit
from gateway.deps import Actor, GatewayDeps
from gateway.idempotency import RequestKey
from gateway.runs.requests import Accepted, RunRequest
from gateway.runs.schemas import ResolveBody, RunBody
from infra.ids import uuid7
from infra.unit_of_work import UnitOfWork, new_meta

ACCEPT_SECONDS = 15.0

_TELL_RESOLVED = text("""
    INSERT INTO run_events (run_id, kind, event)
    SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_build_array(jsonb_strip_nulls(
               jsonb_build_object('task', id, 'step_no', step_no, 'target', target_name, 'state', state,
                                  'attempt', attempt, 'error', error,
                                  'resolution', CAST(:verdict AS text)))))
      FROM tasks WHERE id = :task
""")


async def request_run(
    deps: GatewayDeps,
    who: Actor,
    job_id: UUID,
    body: RunBody,
    *,
    key: RequestKey | None,
    size: int,
    trigger: RunTrigger,
) -> Accepted:
    """The accepted run; raises what is wrong with the request, or `Unavailable`."""
    return await accept(
        deps,
        RunRequest(
            run_id=uuid7(),
            job_id=job_id,
            project_id=who.project_id,
            principal=who.principal,
            request_id=who.request_id,
            meta=new_meta(principal=who.principal),
            parameters=body.parameters,
            targets=_once_each(body.targets),
            key=key,
            may_run_inactive=body.even_if_inactive,
            may_use_credentials=who.may_use_credentials,
            trigger=trigger,
        ),
        size=size,
    )


def _once_each(chosen: ChosenTargets | None) -> tuple[str, ...] | TargetQuery | None:
    if chosen is None or isinstance(chosen, TargetQuery):
        return chosen
    return tuple(dict.fromkeys(names_in(chosen)))


async def accept(deps: GatewayDeps, request: RunRequest, *, size: int) -> Accepted:
    """Hand a request to the accept batcher, with a limit to how long a client is kept waiting."""
    if not deps.gate.is_open:
        raise Unavailable("The database cannot be reached just now; nothing was accepted.")
    try:
        async with asyncio.timeout(ACCEPT_SECONDS):
            return await deps.accept.submit(request, size=size)
    except TimeoutError:
        raise Unavailable(
            "The database did not answer in time. The run may still be accepted: repeat the request with the "
            "same Idempotency-Key, or look at the list of runs."
        ) from None


async def cancel_run(uow: UnitOfWork, who: Actor, run_id: UUID) -> RunRow:
    """Ask for the run to stop. Asking again, or after its end, changes nothing."""
    run = await uow.session.scalar(
        select(RunRow).where(RunRow.id == run_id, RunRow.project_id == who.project_id).with_for_update()
    )
    if run is None:
        raise NotFound.of("run", run_id)
    if run.ended_at is not None or run.cancel_requested_at is not None:
        return run
    run.cancel_requested_at = await uow.session.scalar(select(func.now()))
    run.cancel_requested_by = who.principal
    meta = new_meta(principal=who.principal, correlation_id=run.correlation_id)
    uow.emit(AdvanceRun(run_id=run.id), meta)
    uow.emit(
        CancelRequested(run_id=run.id),
        new_meta(principal=who.principal, correlation_id=run.correlation_id),
    )
    uow.touch(run.id)
    await audit(uow, who, "runs.cancel", "run", run.id)
    return run


async def resolve_task(uow: UnitOfWork, who: Actor, task_id: UUID, body: ResolveBody) -> ResolutionRow:
    """Record what became of a task that ended as unknown. The task itself stays as it is."""
    task = await uow.session.scalar(
        select(TaskRow)
        .join(RunRow, RunRow.id == TaskRow.run_id)
        .where(TaskRow.id == task_id, RunRow.project_id == who.project_id)
        .with_for_update(of=TaskRow)
    )
    if task is None:
        raise NotFound.of("task", task_id)
    if task.state != TaskState.UNKNOWN.value:
        raise Conflict(f"The task is {task.state}; only an unknown one can be resolved.")
    earlier = await uow.session.scalar(select(ResolutionRow).where(ResolutionRow.task_id == task_id))
    if earlier is not None:
        if earlier.verdict != body.verdict:
            raise Conflict(f"The task was resolved as {earlier.verdict} by {earlier.resolved_by}.")
        return earlier
    values: dict[str, Any] = {
        "id": uuid7(),
        "project_id": who.project_id,
        "task_id": task.id,
        "run_id": task.run_id,
        "verdict": body.verdict,
        "reason": body.reason,
        "resolved_by": who.principal,
    }
    row = (await uow.session.scalars(insert(ResolutionRow).values(values).returning(ResolutionRow))).one()
    await uow.session.execute(_TELL_RESOLVED, {"task": task.id, "verdict": body.verdict})
    uow.emit(AdvanceRun(run_id=task.run_id), new_meta(principal=who.principal))
    uow.touch(task.run_id)
    await audit(uow, who, "runs.resolve", "task", task.id, verdict=body.verdict, reason=body.reason)
    return row


def require_step(steps: dict[str, int], step: str | None) -> int | None:
    """The place of a step by name; raises `Invalid` for a name that the definition does not have."""
    if step is None:
        return None
    if step not in steps:
        known = ", ".join(steps)
        raise Invalid("There is no such step.", problems=[FieldProblem("step", f"must be one of {known}")])
    return steps[step]
