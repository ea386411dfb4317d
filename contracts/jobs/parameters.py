"""What a job asks for, and what a run gives it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.errors import FieldProblem
from contracts.limits import PARAMETER_BYTES

ParameterValue = str | int | float | bool
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "secret": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


class Parameter(BaseModel):
    """One typed parameter. A `secret` is sealed with the run and never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["string", "integer", "number", "boolean", "secret"] = "string"
    description: Annotated[str, Field(max_length=500)] | None = None
    required: bool = False
    default: ParameterValue | None = None
    choices: Annotated[tuple[ParameterValue, ...], Field(max_length=500)] | None = None
    pattern: Annotated[str, Field(max_length=500)] | None = None
    """Regular expression that the whole text must match."""
    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def consistent(self) -> "Parameter":
        if self.type == "secret" and self.default is not None:
            raise ValueError("a secret has no default: the definition is not a place for secrets")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"pattern is not a regular expression: {error}") from error
        if self.default is not None and (reason := refusal(self, self.default)):
            raise ValueError(f"the default does not fit: {reason}")
        return self


def refusal(parameter: Parameter, value: object) -> str | None:
    """Why `value` does not fit `parameter`, or None."""
    if not isinstance(value, _PYTHON_TYPES[parameter.type]) or (
        isinstance(value, bool) and parameter.type != "boolean"
    ):
        return f"must be of type {parameter.type}"
    if isinstance(value, str):
        return _text_refusal(parameter, value)
    if parameter.minimum is not None and value < parameter.minimum:  # type: ignore[operator]
        return f"must be at least {parameter.minimum:g}"
    if parameter.maximum is not None and value > parameter.maximum:  # type: ignore[operator]
        return f"must be at most {parameter.maximum:g}"
    return _choice_refusal(parameter, value)


def _text_refusal(parameter: Parameter, value: str) -> str | None:
    if "\0" in value:
        return "must not hold a NUL character"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "must be valid Unicode text"
    if size > PARAMETER_BYTES:
        return f"must be at most {PARAMETER_BYTES // 1024} KiB"
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
        return f"must match {parameter.pattern}"
    return _choice_refusal(parameter, value)


def _choice_refusal(parameter: Parameter, value: object) -> str | None:
    if parameter.choices is not None and value not in parameter.choices:
        return "must be one of " + ", ".join(map(str, parameter.choices))
    return None


def resolve(
    declared: Mapping[str, Parameter], given: Mapping[str, Any]
) -> tuple[dict[str, ParameterValue], tuple[FieldProblem, ...]]:
    """The values of a run: defaults overlaid with `given`, and what is wrong with them.

    A `string` without default that is not required is empty; any other parameter must have a value.
    """
    problems = [
        FieldProblem(f"parameters.{name}", "is not a parameter of this job")
        for name in given
        if name not in declared
    ]
    values: dict[str, ParameterValue] = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.default)
        if value is None:
            if parameter.required or parameter.type != "string":
                problems.append(FieldProblem(f"parameters.{name}", "is required"))
            else:
                values[name] = ""
            continue
        if reason := refusal(parameter, value):
            problems.append(FieldProblem(f"parameters.{name}", reason))
        else:
            values[name] = value
    return values, tuple(problems)
