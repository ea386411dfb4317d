"""A request for a run, and what becomes of it: pure, no I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from contracts.errors import Conflict, FieldProblem, Invalid, NotFound, OpsError
from contracts.jobs.definition import JobDefinition
from contracts.jobs.parameters import resolve
from contracts.messages import Meta
from contracts.runs.states import RunStatus
from gateway.idempotency import RequestKey


class JobInactive(Conflict):
    code = "job_inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One request. `run_id` is made before the first try, so that a lost commit is recognised."""

    run_id: UUID
    job_id: UUID
    project_id: UUID
    principal: str
    request_id: UUID
    meta: Meta
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    targets: tuple[str, ...] | None = None
    key: RequestKey | None = None
    version: int | None = None
    """The job's current version when None."""
    rerun_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is answered: for a repeated request the run of the first one."""

    run_id: UUID
    status: RunStatus = RunStatus.REQUESTED


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as the database has it in this transaction."""

    active: bool
    current_version: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A request that can be accepted. `parameters` is JSON text without the secrets."""

    version: int
    parameters: str
    secrets: Mapping[str, str] = field(repr=False)


def judge(
    request: RunRequest,
    job: JobState | None,
    definition: JobDefinition | None,
    known_targets: Collection[str],
) -> Fit | OpsError:
    """Whether this request can be accepted, and if not, everything that is wrong with it."""
    if job is None or definition is None:
        return NotFound.of("job", request.job_id)
    if not job.active:
        return JobInactive(f"The job {definition.name!r} is inactive; activate it to run it.")
    values, problems = resolve(definition.parameters, request.parameters)
    wrong = [*problems, *_target_problems(request, definition, known_targets)]
    if wrong:
        return Invalid("The run was not accepted.", problems=wrong)
    secret = {name for name, spec in definition.parameters.items() if spec.type == "secret"}
    return Fit(
        request.version or job.current_version,
        orjson.dumps({name: value for name, value in values.items() if name not in secret}).decode(),
        {name: str(values[name]) for name in secret},
    )


def _target_problems(
    request: RunRequest, definition: JobDefinition, known: Collection[str]
) -> list[FieldProblem]:
    if request.targets is None:
        if _needs_targets(definition):
            return [FieldProblem("targets", "is required: neither the job nor its steps name targets")]
        return []
    return [
        FieldProblem(f"targets.{index}", f"there is no target named {name}")
        for index, name in enumerate(request.targets)
        if name not in known
    ]


def _needs_targets(definition: JobDefinition) -> bool:
    return not definition.targets and any(
        step.acts_on_target and step.target is None for step in definition.steps
    )
