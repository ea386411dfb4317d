"""Which tasks a run has: every step on each of its targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from contracts.jobs.definition import JobDefinition, step_name, steps_from
from contracts.jobs.steps import StepSpec
from contracts.limits import TARGETS_PER_RUN
from contracts.targets.choosing import ChosenTargets, TargetQuery, names_in
from contracts.topology import DEFAULT_POOL


class CannotLayOut(Exception):
    """The run cannot begin; the message says which step lacks what."""


@dataclass(frozen=True, slots=True)
class KnownTarget:
    id: UUID
    name: str
    pool: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds of what was wanted: targets by their name, and by the query they fit."""

    by_name: Mapping[str, KnownTarget] = field(default_factory=dict)
    by_query: Mapping[str, Sequence[KnownTarget]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """One task to be: which step, at which place, on which target."""

    step_no: int
    ordinal: int
    target: KnownTarget | None

    @property
    def pool(self) -> str:
        return self.target.pool if self.target else DEFAULT_POOL


def targets_of(
    definition: JobDefinition, step: StepSpec, chosen: Sequence[str] | TargetQuery | None
) -> ChosenTargets:
    """What a step runs on: its own, else what was chosen for the run, else the job's."""
    if step.target is not None:
        return step.target
    if chosen is not None:
        return chosen if isinstance(chosen, TargetQuery) else tuple(chosen)
    return definition.targets


def wanted_names(definition: JobDefinition, chosen: Sequence[str] | TargetQuery | None) -> set[str]:
    """Every target name that the run will touch."""
    return {name for step in definition.steps for name in names_in(targets_of(definition, step, chosen))}


def wanted_queries(definition: JobDefinition, chosen: Sequence[str] | TargetQuery | None) -> set[str]:
    """Every query that the run's targets are found by."""
    wanted = (targets_of(definition, step, chosen) for step in definition.steps)
    return {one.query for one in wanted if isinstance(one, TargetQuery)}


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a job that a run repeats: these targets of every step, this step and those after it."""

    only_targets: frozenset[str] | None = None
    from_step: int | None = None


WHOLE = Part()


def lay_out(
    definition: JobDefinition,
    chosen: Sequence[str] | TargetQuery | None,
    known: Known,
    part: Part = WHOLE,
) -> list[Place]:
    """All tasks of a run, in order of release; none where every query fits nothing and says to skip.

    Raises `CannotLayOut`.
    """
    first = part.from_step
    wanted = range(len(definition.steps)) if first is None else sorted(steps_from(definition.steps, first))
    places: list[Place] = []
    for step_no in wanted:
        step = definition.steps[step_no]
        try:
            places += _places(step_no, step, targets_of(definition, step, chosen), known, part.only_targets)
        except CannotLayOut as error:
            raise CannotLayOut(f"Step {step_name(step, step_no)}{error}") from None
    touched = len({place.target.id for place in places if place.target})
    if touched > TARGETS_PER_RUN:
        raise CannotLayOut(f"The run would touch more than {TARGETS_PER_RUN} targets, the most one run may.")
    if not places and part != WHOLE:
        raise CannotLayOut("Nothing of the job is left to do on the targets that were chosen.")
    return places


def _places(
    step_no: int, step: StepSpec, wanted: ChosenTargets, known: Known, only: frozenset[str] | None
) -> Iterator[Place]:
    if isinstance(wanted, TargetQuery):
        targets = [target for target in known.by_query[wanted.query] if only is None or target.name in only]
        if not known.by_query[wanted.query] and wanted.on_empty == "fail":
            raise CannotLayOut(f": no target fits the query `{wanted.query}`.")
    else:
        every = names_in(wanted)
        targets = _named([name for name in every if only is None or name in only], known.by_name)
        if not every and step.needs_target:
            raise CannotLayOut(" has no target to run on.")
        if not every:
            yield Place(step_no, 0, None)
    for ordinal, target in enumerate(targets):
        yield Place(step_no, ordinal, target)


def _named(names: Sequence[str], known: Mapping[str, KnownTarget]) -> list[KnownTarget]:
    """Each target once, in the order in which they are named."""
    missing = [name for name in names if name not in known]
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")  # noqa: PLR2004
        raise CannotLayOut(f": there is no target named {shown}.")
    return [known[name] for name in dict.fromkeys(names)]
