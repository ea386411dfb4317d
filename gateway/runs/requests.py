"""A request for a run, and what becomes of it: pure, no I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from contracts.access.roles import Permission
from contracts.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, OpsError
from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.parameters import refusal, resolve
from contracts.messages import Meta
from contracts.runs.states import RunStatus, RunTrigger
from contracts.targets.choosing import TargetQuery
from gateway.idempotency import RequestKey


class KnownNames(NamedTuple):
    """What is there of all that a request names, in its project."""

    targets: Collection[str] = ()
    files: Collection[str] = ()
    credentials: Mapping[str, str] = MappingProxyType({})
    """Ids by name."""


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
    targets: tuple[str, ...] | TargetQuery | None = None
    key: RequestKey | None = None
    version: int | None = None
    """The job's current version when None."""
    rerun_of: UUID | None = None
    trigger: RunTrigger = RunTrigger.MANUAL
    only_targets: tuple[str, ...] | None = None
    from_step: str | None = None
    may_use_credentials: bool = False
    """Whoever asks may choose credentials; those that the job itself names are its author's choice."""
    may_run_inactive: bool = False
    """Somebody who may change the job asks, and knows."""
    sealed: frozenset[str] = frozenset()
    """Secrets of the run it repeats whose sealed values are taken over when no others are given."""


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
    inactive_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """A request that can be accepted. `parameters` is JSON text without the secrets."""

    version: int
    parameters: str
    secrets: Mapping[str, str] = field(repr=False)
    taken_over: tuple[str, ...] = ()
    """Secrets whose sealed values are copied from the run that this one repeats."""
    from_step: int | None = None


def named_by(request: RunRequest, definition: JobDefinition | None, kind: str) -> list[tuple[str, str]]:
    """Parameters of this kind (`target`, `file`, `credential`) with what each names, if it can be a name."""
    if definition is None:
        return []
    given = [
        (name, spec, request.parameters.get(name, spec.default))
        for name, spec in definition.parameters.items()
        if spec.type == kind
    ]
    return [(name, value) for name, spec, value in given if value and refusal(spec, value) is None]


def judge(
    request: RunRequest,
    job: JobState | None,
    definition: JobDefinition | None,
    known: KnownNames,
) -> Fit | OpsError:
    """Whether this request can be accepted, and if not, everything that is wrong with it."""
    if job is None or definition is None:
        return NotFound.of("job", request.job_id)
    if not job.active and not request.may_run_inactive:
        why = f": {job.inactive_reason}" if job.inactive_reason else "."
        return JobInactive(f"The job {definition.name!r} is inactive{why} Activate it to run it.")
    request = _by_name(request, definition, known.credentials)
    values, problems = resolve(definition.parameters, request.parameters, sealed=request.sealed)
    places = {step_name(step, index): index for index, step in enumerate(definition.steps)}
    wrong = [*problems, *_target_problems(request, definition, known.targets)]
    if not problems:
        wrong += _named_problems(request, definition, known)
    if request.from_step is not None and request.from_step not in places:
        wrong.append(FieldProblem("from_step", f"must be one of {', '.join(places)}"))
    if wrong:
        return Invalid("The run was not accepted.", problems=wrong)
    if not request.may_use_credentials and _chosen_credentials(request, definition):
        return Forbidden(f"Choosing a credential needs the permission {Permission.CREDENTIALS_USE.value}.")
    secret = {name for name, spec in definition.parameters.items() if spec.type == "secret"}
    values |= {
        name: known.credentials[credential]
        for name, credential in named_by(request, definition, "credential")
    }
    return Fit(
        request.version or job.current_version,
        orjson.dumps({name: value for name, value in values.items() if name not in secret}).decode(),
        {name: str(values[name]) for name in secret if name in values},
        tuple(sorted(name for name in secret if name not in values)),
        None if request.from_step is None else places[request.from_step],
    )


def _by_name(request: RunRequest, definition: JobDefinition, known: Mapping[str, str]) -> RunRequest:
    """A run that is repeated holds the ids of its credentials: what is said of them goes by their names."""
    names = {credential_id: name for name, credential_id in known.items()}
    meant = {
        name: names[value.lower()]
        for name, value in request.parameters.items()
        if name in definition.parameters
        and definition.parameters[name].type == "credential"
        and isinstance(value, str)
        and value not in known
        and value.lower() in names
    }
    return replace(request, parameters={**request.parameters, **meant}) if meant else request


def _chosen_credentials(request: RunRequest, definition: JobDefinition) -> bool:
    """Whether another credential is chosen than the one the job names by itself."""
    return any(
        value != definition.parameters[name].default
        for name, value in named_by(request, definition, "credential")
    )


def _named_problems(request: RunRequest, definition: JobDefinition, known: KnownNames) -> list[FieldProblem]:
    kinds: tuple[tuple[str, Collection[str]], ...] = (
        ("target", known.targets),
        ("credential", known.credentials),
    )
    gone = [
        FieldProblem(f"parameters.{name}", f"there is no {kind} named {value}")
        for kind, there in kinds
        for name, value in named_by(request, definition, kind)
        if value not in there
    ]
    return gone + [
        FieldProblem(f"parameters.{name}", "there is no stored file with this id")
        for name, value in named_by(request, definition, "file")
        if value.lower() not in known.files
    ]


def _target_problems(
    request: RunRequest, definition: JobDefinition, known: Collection[str]
) -> list[FieldProblem]:
    gone = [name for name in request.only_targets or () if name not in known]
    if gone:
        return [FieldProblem("targets", f"there is no target named {name} any more") for name in gone[:20]]
    if request.targets is None:
        if _needs_targets(definition):
            return [FieldProblem("targets", "is required: neither the job nor its steps name targets")]
        return []
    if isinstance(request.targets, TargetQuery):
        return []
    return [
        FieldProblem(f"targets.{index}", f"there is no target named {name}")
        for index, name in enumerate(request.targets)
        if name not in known
    ]


def _needs_targets(definition: JobDefinition) -> bool:
    return not definition.targets and any(
        step.needs_target and step.target is None for step in definition.steps
    )
