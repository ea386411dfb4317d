"""What a job asks for, and what a run gives it."""

import math
import re
from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import SchemaError

from contracts.errors import FieldProblem
from contracts.limits import PARAMETER_BYTES

ParameterValue = str | int | float | bool
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "secret": (str,),
    "date": (str,),
    "target": (str,),
    "file": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_MAY_BE_EMPTY = ("string", "date", "target", "file")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TARGET_NAME = 253


class Parameter(BaseModel):
    """One typed parameter. A `secret` is sealed with the run and never shown.

    A `date` is written 2026-03-31, a `target` is the name of one, a `file` the id of a stored artifact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: Literal["string", "integer", "number", "boolean", "date", "target", "file", "secret"] = "string"
    description: Annotated[str, Field(max_length=500)] | None = None
    required: bool = False
    default: ParameterValue | None = None
    choices: Annotated[tuple[ParameterValue, ...], Field(max_length=500)] | None = None
    pattern: Annotated[str, Field(max_length=500)] | None = None
    """Regular expression that the whole text must match; without look-around and back-references, so that
    matching takes time in proportion to the text, whatever somebody wrote."""
    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def consistent(self) -> "Parameter":
        if self.type == "secret" and self.default is not None:
            raise ValueError("a secret has no default: the definition is not a place for secrets")
        if self.pattern is not None:
            try:
                _matcher(self.pattern)
            except SchemaError as error:
                why = str(error).replace("\n", " ")[:300]
                raise ValueError(f"pattern is not a regular expression that can be used: {why}") from None
        for choice in self.choices or ():
            if reason := _value_refusal(self, choice):
                raise ValueError(f"a choice does not fit: {reason}")
        if self.default is not None and (reason := refusal(self, self.default)):
            raise ValueError(f"the default does not fit: {reason}")
        return self


@lru_cache(maxsize=500)
def _matcher(pattern: str) -> TypeAdapter[str]:
    """Accepts texts that match as a whole, in linear time; raises SchemaError for what is no pattern."""
    TypeAdapter(Annotated[str, Field(pattern=pattern)])  # alone first: `a)|(b` must not end our own group
    return TypeAdapter(Annotated[str, Field(pattern=rf"\A(?:{pattern})\z")])


def refusal(parameter: Parameter, value: object) -> str | None:
    """Why `value` does not fit `parameter`, or None."""
    if reason := _value_refusal(parameter, value):
        return reason
    if parameter.choices is not None and value not in parameter.choices:
        return "must be one of " + ", ".join(map(str, parameter.choices))
    return None


def _value_refusal(parameter: Parameter, value: object) -> str | None:
    """Why `value` could not be one of the choices."""
    if not isinstance(value, _PYTHON_TYPES[parameter.type]) or (
        isinstance(value, bool) and parameter.type != "boolean"
    ):
        return f"must be of type {parameter.type}"
    if isinstance(value, str):
        return _text_refusal(parameter, value)
    return _number_refusal(parameter, value)


def _number_refusal(parameter: Parameter, value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "must be a number of at most 64 bits"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"must be at least {parameter.minimum:g}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"must be at most {parameter.maximum:g}"
    return None


def _text_refusal(parameter: Parameter, value: str) -> str | None:
    if "\0" in value:
        return "must not hold a NUL character"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "must be valid Unicode text"
    if size > PARAMETER_BYTES:
        return f"must be at most {PARAMETER_BYTES // 1024} KiB"
    if parameter.pattern is not None and not _matches(parameter.pattern, value):
        return f"must match {parameter.pattern}"
    return _shape_refusal(parameter.type, value)


def _shape_refusal(kind: str, value: str) -> str | None:
    if kind == "date" and not _is_date(value):
        return "must be a date, as 2026-03-31"
    if kind == "target" and not 0 < len(value) <= _TARGET_NAME:
        return "must be the name of a target"
    if kind == "file" and not _is_id(value):
        return "must be the id of a stored file"
    return None


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and date.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _matches(pattern: str, value: str) -> bool:
    try:
        _matcher(pattern).validate_python(value)
    except ValidationError:
        return False
    return True


def resolve(
    declared: Mapping[str, Parameter], given: Mapping[str, Any], *, sealed: Collection[str] = ()
) -> tuple[dict[str, ParameterValue], tuple[FieldProblem, ...]]:
    """The values of a run: defaults overlaid with `given`, and what is wrong with them.

    A `string`, `date`, `target` or `file` without default that is not required is empty; any other parameter
    must have a value, and for these the empty text is one. Secrets named in `sealed` have one that nobody
    here can read; they are left out.
    """
    problems = [
        FieldProblem(f"parameters.{name}", "is not a parameter of this job")
        for name in given
        if name not in declared
    ]
    values: dict[str, ParameterValue] = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.default)
        if value is None and parameter.type == "secret" and name in sealed:
            continue
        if value is None:
            if parameter.required or parameter.type not in _MAY_BE_EMPTY:
                problems.append(FieldProblem(f"parameters.{name}", "is required"))
            else:
                values[name] = ""
            continue
        if value == "" and not parameter.required and parameter.type in _MAY_BE_EMPTY[1:]:
            values[name] = ""
        elif reason := refusal(parameter, value):
            problems.append(FieldProblem(f"parameters.{name}", reason))
        else:
            values[name] = value
    return values, tuple(problems)
