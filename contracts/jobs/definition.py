"""The document that defines a job, and every rule it must keep before it can be saved."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contracts.errors import FieldProblem, Invalid
from contracts.jobs.parameters import Parameter, ParameterName, depends_problems
from contracts.jobs.steps import AnyStep, StepSpec
from contracts.limits import STEPS_PER_JOB
from contracts.targets.choosing import ChosenTargets
from contracts.wording import reason

JobName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class JobDefinition(BaseModel):
    """Steps to run on targets. Steps follow one another unless they say what they need."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: JobName
    description: Annotated[str, Field(max_length=2_000)] | None = None
    version: int | None = None
    """What the author calls this version; the system counts its own."""
    parameters: dict[ParameterName, Parameter] = Field(default_factory=dict, max_length=100)
    """Typed parameters, or the plain map `{"svc": "Spooler"}` of defaults."""
    targets: ChosenTargets = ()
    """Names, or a query: where steps without a `target` of their own run."""
    max_parallel: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Tasks of one step under way at once."""
    steps: Annotated[tuple[AnyStep, ...], Field(min_length=1, max_length=STEPS_PER_JOB)]

    @field_validator("parameters", mode="before")
    @classmethod
    def _plain_map_of_defaults(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: spec if isinstance(spec, dict | Parameter) else {"type": _type_of(spec), "default": spec}
            for name, spec in value.items()
        }

    @field_validator("targets", mode="before")
    @classmethod
    def _one_target(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _steps_fit_together(self) -> "JobDefinition":
        names = [step_name(step, index) for index, step in enumerate(self.steps)]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ValueError(f"two steps are named {', '.join(sorted(doubled))}")
        if len({name.lower() for name in self.parameters}) < len(self.parameters):
            raise ValueError("parameter names must differ in more than case")
        needs_of(self.steps)
        return self


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"


def step_name(step: StepSpec, index: int) -> str:
    """The step's own name, or `step-1` for the first unnamed one by place."""
    return step.name or f"step-{index + 1}"


def needs_of(steps: Sequence[StepSpec]) -> tuple[tuple[int, ...], ...]:
    """For each step the places of the steps it waits for. Raises ValueError for unknown names and circles."""
    place = {step_name(step, index): index for index, step in enumerate(steps)}
    needs: list[tuple[int, ...]] = []
    for index, step in enumerate(steps):
        if step.needs is None:
            needs.append((index - 1,) if index else ())
            continue
        missing = [name for name in step.needs if name not in place]
        if missing:
            raise ValueError(f"steps.{index}.needs: there is no step named {', '.join(missing)}")
        needs.append(tuple(sorted({place[name] for name in step.needs})))
    _refuse_circles(needs)
    return tuple(needs)


def steps_from(steps: Sequence[StepSpec], first: int) -> frozenset[int]:
    """The places of the step at `first` and of every step that waits for it, directly or through others."""
    found, waiting = {first}, needs_of(steps)
    while more := {i for i, needs in enumerate(waiting) if i not in found and not found.isdisjoint(needs)}:
        found |= more
    return frozenset(found)


def _refuse_circles(needs: Sequence[Sequence[int]]) -> None:
    done: set[int] = set()
    while len(done) < len(needs):
        free = [i for i, wanted in enumerate(needs) if i not in done and done.issuperset(wanted)]
        if not free:
            stuck = ", ".join(f"steps.{i}" for i in range(len(needs)) if i not in done)
            raise ValueError(f"{stuck} wait for one another in a circle")
        done.update(free)


def parse_definition(document: Any) -> JobDefinition:
    """The definition in `document`; raises `Invalid` with one problem per wrong field."""
    try:
        definition = JobDefinition.model_validate(document)
    except ValidationError as error:
        raise Invalid("The job definition is not valid.", problems=tuple(_problems(error))) from error
    depending = [
        FieldProblem(f"parameters.{name}.depends_on", why)
        for name, why in depends_problems(definition.parameters)
    ]
    if depending:
        raise Invalid("The job definition is not valid.", problems=depending)
    return definition


def _problems(error: ValidationError) -> Iterator[FieldProblem]:
    items = error.errors(include_url=False, include_input=False)
    inside_steps = any(item["loc"][:1] == ("steps",) and len(item["loc"]) > 1 for item in items)
    for item in items:
        if inside_steps and item["type"] == "too_short" and item["loc"] == ("steps",):
            continue  # an unreadable step does not count as one; saying what is wrong with it is enough
        yield FieldProblem(_path(item["loc"]), reason(item))


def _path(place: tuple[int | str, ...]) -> str:
    """`steps.0.command`: what told step types or `[shapes]` apart is no part of the document."""
    if place[:1] == ("steps",):
        place = place[:2] + place[3:]
    shown = [str(part) for part in place]
    return ".".join(part for part in shown if not part.startswith("[")) or "definition"
