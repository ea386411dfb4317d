"""What a job asks for, and what a run gives it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import SchemaError

from contracts.errors import FieldProblem
from contracts.jobs.fitting import (
    CHOSEN,
    choice_refusal,
    contradictions,
    count_refusal,
    item_refusal,
    matcher,
    refusal,
    value_refusal,
)
from contracts.limits import PARAMETER_ITEMS

__all__ = ["Choice", "Parameter", "ParameterName", "ParameterValue", "depends_problems", "refusal", "resolve"]

Choice = str | int | float | bool
ParameterValue = Choice | list[str] | tuple[str, ...]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Choices = Annotated[tuple[Choice, ...], Field(max_length=PARAMETER_ITEMS)]
Count = Annotated[int, Field(ge=0, le=PARAMETER_ITEMS)]

_MAY_BE_EMPTY = ("string", "date", "target", "file", "credential")


class Parameter(BaseModel):
    """One typed parameter. A `secret` is sealed with the run and never shown.

    A `date` is written 2026-03-31, a `target` is the name of one, a `file` the id of a stored artifact, a
    `credential` the name of one, whose id the run stores: steps take it as their `credential`, never as text.
    `multi` is a list of several of the choices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    type: Literal[
        "string",
        "integer",
        "number",
        "boolean",
        "date",
        "target",
        "file",
        "secret",
        "multi",
        "credential",
    ] = "string"
    """What kind of value it takes."""
    description: Annotated[str, Field(max_length=500)] | None = None
    """What people read beside its input."""
    required: bool = False
    """Whether a run must give it a value, unless it has a default."""
    default: Choice | tuple[str, ...] | None = None
    """The value of runs that give none; of `multi` a list. A secret has none."""
    choices: Choices | None = None
    """The only values it may have. `multi` takes several of them, texts of one line, and needs them."""
    depends_on: ParameterName | None = None
    """Another parameter, whose value decides which choices there are: see `choices_for`."""
    choices_for: Annotated[dict[str, Choices], Field(max_length=PARAMETER_ITEMS)] | None = None
    """The choices for each value of the parameter that it depends on, such as {berlin: [web-1, web-2]}."""
    min_items: Count | None = None
    """Of `multi`: how many must be chosen at least."""
    max_items: Count | None = None
    """Of `multi`: how many may be chosen at most."""
    pattern: Annotated[str, Field(max_length=500)] | None = None
    """Regular expression that the whole text must match; without look-around and back-references, so that
    matching takes time in proportion to the text, whatever somebody wrote."""
    minimum: float | None = None
    """Of numbers: the smallest that is accepted."""
    maximum: float | None = None
    """Of numbers: the largest that is accepted."""

    @property
    def every_choice(self) -> tuple[Choice, ...] | None:
        """All that could ever be chosen; None where anything can."""
        if self.choices_for is not None:
            return tuple(dict.fromkeys(choice for group in self.choices_for.values() for choice in group))
        return self.choices

    @model_validator(mode="after")
    def consistent(self) -> "Parameter":
        if self.type == "secret" and self.default is not None:
            raise ValueError("a secret has no default: the definition is not a place for secrets")
        if self.pattern is not None:
            try:
                matcher(self.pattern)
            except SchemaError as error:
                why = str(error).replace("\n", " ")[:300]
                raise ValueError(f"pattern is not a regular expression that can be used: {why}") from None
        wrong = next(iter((*contradictions(self), *self._choices())), None)
        if wrong is not None:
            raise ValueError(wrong)
        if self.default is not None and (reason := self._misfit(self.default)):
            raise ValueError(f"the default does not fit: {reason}")
        return self

    def _choices(self) -> Iterator[str]:
        for choice in self.every_choice or ():
            wrong = item_refusal(choice) if self.type == "multi" else value_refusal(self, choice)
            if wrong:
                yield f"a choice does not fit: {wrong}"

    def _misfit(self, value: object) -> str | None:
        """Why it can never be the value, whatever it depends on."""
        if reason := value_refusal(self, value):
            return reason
        return None if self.every_choice is None else choice_refusal(value, self.every_choice)


def depends_problems(declared: Mapping[str, Parameter]) -> Iterator[tuple[str, str]]:
    """Parameters that depend on what they cannot, each with the reason."""
    for name, parameter in declared.items():
        if parameter.depends_on is None:
            continue
        other = declared.get(parameter.depends_on)
        if other is None:
            yield name, f"depends on {parameter.depends_on}, which is not a parameter of this job"
        elif other.type not in CHOSEN or other.type == "multi":
            yield name, f"cannot depend on {parameter.depends_on}, which is of type {other.type}"
        elif _in_circle(declared, name):
            yield name, "depends on itself, directly or through others"
        elif other.every_choice is not None:
            known = {text_of_choice(choice) for choice in other.every_choice}
            if strange := sorted(set(parameter.choices_for or ()) - known):
                yield name, f"choices_for names {strange[0]}, which {parameter.depends_on} can never be"


def _in_circle(declared: Mapping[str, Parameter], first: str) -> bool:
    name, seen = declared[first].depends_on, set[str]()
    while name is not None and name in declared and name not in seen:
        if name == first:
            return True
        seen.add(name)
        name = declared[name].depends_on
    return False


def text_of_choice(value: object) -> str:
    """A value as `choices_for` names it: `true`, `42`, the text itself."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def resolve(
    declared: Mapping[str, Parameter], given: Mapping[str, Any], *, sealed: Collection[str] = ()
) -> tuple[dict[str, ParameterValue], tuple[FieldProblem, ...]]:
    """The values of a run: defaults overlaid with `given`, and what is wrong with them.

    A `string`, `date`, `target`, `file` or `credential` without default that is not required is empty, a
    `multi` the empty list; any other parameter must have a value, and for these the empty text is one.
    Secrets named in `sealed` have one that nobody here can read; they are left out.
    """
    problems = [
        FieldProblem(f"parameters.{name}", "is not a parameter of this job")
        for name in given
        if name not in declared
    ]
    values: dict[str, ParameterValue] = {}
    refused: set[str] = set()
    for name in _others_first(declared):
        parameter = declared[name]
        if parameter.type == "secret" and name in sealed and given.get(name) is None:
            continue
        if parameter.depends_on in refused and given.get(name) is None:
            refused.add(name)  # what there is to choose from is not known: the other problem says enough
            continue
        found, reason = _value_of(name, parameter, given.get(name), values)
        if reason is not None:
            refused.add(name)
            problems.append(FieldProblem(f"parameters.{name}", reason))
        elif found is not None:
            values[name] = found
    order = {name: place for place, name in enumerate(declared)}
    return {name: values[name] for name in sorted(values, key=order.__getitem__)}, tuple(problems)


def _others_first(declared: Mapping[str, Parameter]) -> list[str]:
    """Names in their order, but each behind what it depends on."""
    order: dict[str, None] = {}

    def add(name: str) -> None:
        if name in order or name not in declared:
            return
        other = declared[name].depends_on
        if other is not None and not _in_circle(declared, name):
            add(other)
        order[name] = None

    for name in declared:
        add(name)
    return list(order)


def _value_of(
    name: str, parameter: Parameter, given: Any, values: Mapping[str, ParameterValue]
) -> tuple[ParameterValue | None, str | None]:
    """Its value, or why it has none."""
    value = given
    if value is None and parameter.default is not None:
        fits = _reason(parameter, parameter.default, values) is None
        value = parameter.default if fits or parameter.depends_on is None else None
    if value is None:
        return _left_out(parameter)
    if value == "" and not parameter.required and parameter.type in _MAY_BE_EMPTY[1:]:
        return "", None
    if parameter.required and isinstance(value, list | tuple) and not value:
        return None, "is required"
    if reason := _reason(parameter, value, values):
        return None, reason
    return (list(value) if isinstance(value, tuple) else value), None


def _left_out(parameter: Parameter) -> tuple[ParameterValue | None, str | None]:
    if parameter.type == "multi" and not parameter.required:
        reason = count_refusal(parameter, 0)
        return ([], None) if reason is None else (None, reason)
    if parameter.required or parameter.type not in _MAY_BE_EMPTY:
        return None, "is required"
    return "", None


def _reason(parameter: Parameter, value: object, values: Mapping[str, ParameterValue]) -> str | None:
    """Why this value does not fit, among these of the others."""
    if parameter.depends_on is None or parameter.choices_for is None:
        return refusal(parameter, value)
    if reason := value_refusal(parameter, value):
        return reason
    if parameter.depends_on not in values:
        return None
    other = text_of_choice(values[parameter.depends_on])
    choices = parameter.choices_for.get(other, ())
    if not choices and value:
        return f"has no choices while {parameter.depends_on} is {other}"
    reason = choice_refusal(value, choices)
    return f"{reason} while {parameter.depends_on} is {other}" if reason else None
