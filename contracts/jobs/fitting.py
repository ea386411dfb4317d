"""Whether a value fits a parameter, in the words that every client shows."""

import math
import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from contracts.limits import PARAMETER_BYTES, PARAMETER_ITEMS

if TYPE_CHECKING:
    from contracts.jobs.parameters import Parameter

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "secret": (str,),
    "date": (str,),
    "target": (str,),
    "file": (str,),
    "credential": (str,),
    "multi": (list, tuple),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NAMES = {"target": 253, "credential": 200}
"""Types whose values are names of things, and how long these may be."""
CHOSEN = ("string", "integer", "number", "boolean", "multi")
"""Types whose choices may depend on another parameter; those but the last may be depended on."""


@lru_cache(maxsize=500)
def matcher(pattern: str) -> TypeAdapter[str]:
    """Accepts texts that match as a whole, in linear time; raises SchemaError for what is no pattern."""
    TypeAdapter(Annotated[str, Field(pattern=pattern)])  # alone first: `a)|(b` must not end our own group
    return TypeAdapter(Annotated[str, Field(pattern=rf"\A(?:{pattern})\z")])


def refusal(parameter: "Parameter", value: object) -> str | None:
    """Why `value` does not fit `parameter`, or None; choices that depend on others are judged elsewhere."""
    if reason := value_refusal(parameter, value):
        return reason
    if parameter.choices is not None:
        return choice_refusal(value, parameter.choices)
    return None


def choice_refusal(value: object, choices: Any) -> str | None:
    """Why this, or one of these, is not among the choices."""
    items = value if isinstance(value, list | tuple) else (value,)
    strange = [item for item in items if not _among(item, choices)]
    if not strange:
        return None
    which = f"{strange[0]} is not a choice; it " if isinstance(value, list | tuple) else ""
    return f"{which}must be one of " + ", ".join(map(str, choices))


def _among(value: object, choices: Any) -> bool:
    """Equal and of one kind: true is not 1."""
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in choices)


def value_refusal(parameter: "Parameter", value: object) -> str | None:
    """Why `value` could not be one of the choices."""
    if not isinstance(value, _PYTHON_TYPES[parameter.type]) or (
        isinstance(value, bool) and parameter.type != "boolean"
    ):
        return (
            "must be a list of choices" if parameter.type == "multi" else f"must be of type {parameter.type}"
        )
    if isinstance(value, list | tuple):
        return _items_refusal(parameter, value)
    if isinstance(value, str):
        return _text_refusal(parameter, value)
    return _number_refusal(parameter, value)


def count_refusal(parameter: "Parameter", count: int) -> str | None:
    """Why so many choices are too few or too many."""
    if parameter.min_items is not None and count < parameter.min_items:
        return f"needs at least {_choices(parameter.min_items)}"
    if parameter.max_items is not None and count > parameter.max_items:
        return f"may have at most {_choices(parameter.max_items)}"
    return None


def _choices(count: int) -> str:
    return "one choice" if count == 1 else f"{count} choices"


def _items_refusal(parameter: "Parameter", items: Any) -> str | None:
    if len(items) > PARAMETER_ITEMS:
        return f"may have at most {PARAMETER_ITEMS} choices"
    for item in items:
        if reason := item_refusal(item):
            return reason
    if len(set(items)) < len(items):
        return "must not name a choice twice"
    if sum(len(item.encode()) + 1 for item in items) > PARAMETER_BYTES:
        return f"must be at most {PARAMETER_BYTES // 1024} KiB"
    return count_refusal(parameter, len(items))


def item_refusal(item: object) -> str | None:
    """Why this cannot be one of several choices: shells get them one a line."""
    if not isinstance(item, str):
        return f"{item} must be text: write it in quotes"
    if not item:
        return "a choice must not be empty"
    if _CONTROL.search(item):
        return "a choice must hold no line ends, tabs or other control characters"
    return None if _encodes(item) else "must be valid Unicode text"


def contradictions(parameter: "Parameter") -> Iterator[str]:
    """What a parameter says of itself that does not go together."""
    if (parameter.depends_on is None) != (parameter.choices_for is None):
        yield "depends_on and choices_for go together: the parameter, and the choices for its values"
    if parameter.choices is not None and parameter.choices_for is not None:
        yield "say choices or choices_for, not both"
    if parameter.choices_for is not None and parameter.type not in CHOSEN:
        yield f"choices of type {parameter.type} cannot depend on another parameter"
    if parameter.type == "multi":
        yield from _contradictions_of_several(parameter)
    elif parameter.min_items is not None or parameter.max_items is not None:
        yield "min_items and max_items are for the type multi"


def _contradictions_of_several(parameter: "Parameter") -> Iterator[str]:
    few, most = parameter.min_items or 0, parameter.max_items
    if not parameter.every_choice:
        yield "a parameter of type multi needs choices"
    if parameter.pattern is not None:
        yield "a parameter of type multi has choices, no pattern"
    if most is not None and most < few:
        yield "max_items must be at least min_items"
    if parameter.choices is not None and len(parameter.choices) < few:
        yield f"there are fewer choices than the {few} that min_items asks for"


def _number_refusal(parameter: "Parameter", value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "must be a number of at most 64 bits"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"must be at least {parameter.minimum:g}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"must be at most {parameter.maximum:g}"
    return None


def _text_refusal(parameter: "Parameter", value: str) -> str | None:
    if "\0" in value:
        return "must not hold a NUL character"
    if not _encodes(value):
        return "must be valid Unicode text"
    if len(value.encode()) > PARAMETER_BYTES:
        return f"must be at most {PARAMETER_BYTES // 1024} KiB"
    if parameter.pattern is not None and not _matches(parameter.pattern, value):
        return f"must match {parameter.pattern}"
    return _shape_refusal(parameter.type, value)


def _shape_refusal(kind: str, value: str) -> str | None:
    if kind == "date" and not _is_date(value):
        return "must be a date, as 2026-03-31"
    if kind == "file" and not is_id(value):
        return "must be the id of a stored file"
    if kind in _NAMES:
        return None if 0 < len(value) <= _NAMES[kind] else f"must be the name of a {kind}"
    return None


def _encodes(text: str) -> bool:
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and date.fromisoformat(value) is not None
    except ValueError:
        return False


def is_id(value: str) -> bool:
    """Whether this is an id as the API writes it, in letters of either case."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _matches(pattern: str, value: str) -> bool:
    try:
        matcher(pattern).validate_python(value)
    except ValidationError:
        return False
    return True
