"""Doing a run, or a part of it, again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import Conflict, FieldProblem, Invalid
from contracts.jobs.definition import JobDefinition, step_name, steps_from
from contracts.runs.states import RunTrigger, TaskState
from contracts.tables.runs import ResolutionRow, RunRow, TaskRow
from contracts.targets.choosing import TargetQuery
from gateway.deps import Actor, GatewayDeps
from gateway.idempotency import RequestKey
from gateway.runs.queries import chosen_targets, current_version, find_run, secret_names
from gateway.runs.requests import Accepted, RunRequest
from gateway.runs.schemas import RerunBody
from gateway.runs.service import accept
from infra.ids import uuid7
from infra.unit_of_work import new_meta

_FAILED = (TaskState.FAILED.value, TaskState.TIMED_OUT.value)


async def rerun(
    deps: GatewayDeps, who: Actor, run_id: UUID, body: RerunBody, *, key: RequestKey | None
) -> Accepted:
    """A new run like an earlier one; raises `Conflict` when there is nothing left to run again."""
    async with deps.sessions() as session:
        run, _ = await find_run(session, who.project_id, run_id)
        definition = await deps.definitions.one(session, run.job_id, run.job_version)
        only = await _only_targets(session, run, definition, body)
        sealed = frozenset(await secret_names(session, run.id)) - body.parameters.keys()
        kept = await _kept_parameters(deps, session, run, body)
    request = RunRequest(
        run_id=uuid7(),
        job_id=run.job_id,
        project_id=who.project_id,
        principal=who.principal,
        request_id=who.request_id,
        meta=new_meta(principal=who.principal),
        parameters=kept | body.parameters,
        targets=_still_chosen(chosen_targets(run), only),
        key=key,
        version=run.job_version if body.version == "same" else None,
        rerun_of=run.id,
        trigger=RunTrigger.RERUN,
        only_targets=None if only is None else tuple(only),
        from_step=body.from_step or _first_step(run, definition),
        sealed=sealed,
        may_use_credentials=who.may_use_credentials,
    )
    return await accept(deps, request, size=0)


async def _kept_parameters(
    deps: GatewayDeps, session: AsyncSession, run: RunRow, body: RerunBody
) -> dict[str, Any]:
    """What the first run was given; for the newest version only what that still asks for."""
    if body.version == "same":
        return run.parameters
    newest = await current_version(session, run.job_id)
    if newest is None:
        return run.parameters
    declared = (await deps.definitions.one(session, run.job_id, newest)).parameters
    return {name: value for name, value in run.parameters.items() if name in declared}


def _still_chosen(
    chosen: tuple[str, ...] | TargetQuery | None, only: Sequence[str] | None
) -> tuple[str, ...] | TargetQuery | None:
    """What was chosen for the first run, without the names that are not to be touched again."""
    if only is None or not isinstance(chosen, tuple):
        return chosen
    return tuple(name for name in chosen if name in set(only)) or chosen


def _first_step(run: RunRow, definition: JobDefinition) -> str | None:
    """A part of a run that is repeated stays that part."""
    return None if run.from_step is None else step_name(definition.steps[run.from_step], run.from_step)


async def _only_targets(
    session: AsyncSession, run: RunRow, definition: JobDefinition, body: RerunBody
) -> list[str] | None:
    """The targets to narrow every step to, none for steps without target, or None for all of them."""
    if body.tasks == "all" and body.targets is None:
        return run.only_targets
    if body.tasks != "all" and run.ended_at is None:
        raise Conflict("The run has not ended yet; what failed is only known afterwards.")
    names = await _targets_with(session, run, definition, body)
    if body.targets is not None:
        _require_part(body.targets, await _targets_of(session, run))
        names = [name for name in names if name in set(body.targets)]
    if not names and (body.targets or not await _untargeted(session, run, body.tasks)):
        raise Conflict(_NOTHING[body.tasks])
    return names


_NOTHING = {
    "all": "No target of this run is among those.",
    "failed": "No task of this run failed there; `not_succeeded` also takes what was skipped or cancelled.",
    "not_succeeded": "Every task of this run succeeded there; there is nothing to run again.",
}


def _require_part(chosen: Sequence[str], known: set[str]) -> None:
    problems = [
        FieldProblem(f"targets.{index}", f"{name} had no part in that run")
        for index, name in enumerate(chosen)
        if name not in known
    ]
    if problems:
        raise Invalid("The run cannot be repeated there.", problems=problems)


async def _targets_of(session: AsyncSession, run: RunRow) -> set[str]:
    names = await session.scalars(select(TaskRow.target_name).where(TaskRow.run_id == run.id).distinct())
    return {name for name in names if name is not None}


async def _targets_with(
    session: AsyncSession, run: RunRow, definition: JobDefinition, body: RerunBody
) -> list[str]:
    """Names in their first order of which a task is of the wanted kind."""
    query = (
        select(TaskRow.target_name)
        .outerjoin(ResolutionRow, ResolutionRow.task_id == TaskRow.id)
        .where(TaskRow.run_id == run.id, TaskRow.target_name.is_not(None), *_kind(body.tasks))
        .group_by(TaskRow.target_name)
        .order_by(func.min(TaskRow.step_no), func.min(TaskRow.ordinal))
    )
    if body.from_step is not None:
        places = {step_name(step, index): index for index, step in enumerate(definition.steps)}
        if body.from_step in places:  # one that only the newest version has is judged there
            query = query.where(
                TaskRow.step_no.in_(sorted(steps_from(definition.steps, places[body.from_step])))
            )
    return [name for name in await session.scalars(query) if name is not None]


async def _untargeted(session: AsyncSession, run: RunRow, tasks: str) -> bool:
    """Whether a step that runs without any target is among what is wanted."""
    query = (
        select(TaskRow.id)
        .outerjoin(ResolutionRow, ResolutionRow.task_id == TaskRow.id)
        .where(TaskRow.run_id == run.id, TaskRow.target_name.is_(None), *_kind(tasks))
        .limit(1)
    )
    return await session.scalar(query) is not None


def _kind(tasks: str) -> list[ColumnElement[bool]]:
    settled = func.coalesce(ResolutionRow.verdict, "failed") != "succeeded"
    unknown = (TaskRow.state == TaskState.UNKNOWN.value) & settled
    if tasks == "failed":
        return [or_(TaskRow.state.in_(_FAILED), unknown)]
    if tasks == "not_succeeded":
        others = TaskRow.state.not_in((TaskState.SUCCEEDED.value, TaskState.UNKNOWN.value))
        return [or_(others, unknown)]
    return []
