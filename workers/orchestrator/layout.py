"""Which tasks a run has: every step on each of its targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.steps import StepSpec
from contracts.topology import DEFAULT_POOL


class TargetsMissing(Exception):
    """The run cannot be laid out; the message says which step lacks what."""


@dataclass(frozen=True, slots=True)
class KnownTarget:
    id: UUID
    name: str
    pool: str


@dataclass(frozen=True, slots=True)
class Place:
    """One task to be: which step, at which place, on which target."""

    step_no: int
    ordinal: int
    target: KnownTarget | None

    @property
    def pool(self) -> str:
        return self.target.pool if self.target else DEFAULT_POOL


def target_names(definition: JobDefinition, step: StepSpec, chosen: Sequence[str] | None) -> tuple[str, ...]:
    """The names a step runs on: its own, else those chosen for the run, else the job's. Each once."""
    if step.target is not None:
        own = (step.target,) if isinstance(step.target, str) else step.target
        return tuple(dict.fromkeys(own))
    return tuple(dict.fromkeys(chosen if chosen is not None else definition.targets))


def wanted_names(definition: JobDefinition, chosen: Sequence[str] | None) -> set[str]:
    """Every target name that the run will touch."""
    return {name for step in definition.steps for name in target_names(definition, step, chosen)}


def lay_out(
    definition: JobDefinition, chosen: Sequence[str] | None, known: Mapping[str, KnownTarget]
) -> list[Place]:
    """All tasks of a run, in order of release; raises `TargetsMissing`."""
    return [
        place
        for step_no, step in enumerate(definition.steps)
        for place in _places(definition, step_no, step, chosen, known)
    ]


def _places(
    definition: JobDefinition,
    step_no: int,
    step: StepSpec,
    chosen: Sequence[str] | None,
    known: Mapping[str, KnownTarget],
) -> Iterator[Place]:
    names = target_names(definition, step, chosen)
    missing = [name for name in names if name not in known]
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")  # noqa: PLR2004
        raise TargetsMissing(f"Step {step_name(step, step_no)}: there is no target named {shown}.")
    if not names and step.acts_on_target:
        raise TargetsMissing(f"Step {step_name(step, step_no)} has no target to run on.")
    if not names:
        yield Place(step_no, 0, None)
    for ordinal, name in enumerate(names):
        yield Place(step_no, ordinal, known[name])
