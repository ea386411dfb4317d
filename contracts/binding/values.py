"""Values on their way into a script: their text form, and which of them cannot travel."""

import math
import re
from collections.abc import Mapping, Sequence

from contracts import limits
from contracts.binding.model import BindingRefused, ParameterValue, Placeholder, Refusal

_LINE_END = re.compile(r"[\r\n]")

INT64 = range(-(2**63), 2**63)


def text_of(value: ParameterValue) -> str:
    """The one text form of a value in every shell: `true`/`false`, digits with a point, never by locale.

    A list is one item a line, each line ended, so that the empty list has no line at all.
    """
    if isinstance(value, list | tuple):
        return "".join(f"{item}\n" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def problem_of(value: ParameterValue, *, longest: int | None = None) -> tuple[str, str] | None:
    """Why this value cannot travel as data, and what to do; None if it can. `longest` counts UTF-8 bytes."""
    if isinstance(value, float) and not math.isfinite(value):
        return "The value is not a finite number.", "Give a number, or declare the parameter as a string."
    if isinstance(value, list | tuple) and any(not item or _LINE_END.search(item) for item in value):
        return (
            "An item of the list is empty or holds a line end: two lists would look alike.",
            "Remove it.",
        )
    text = text_of(value)
    if "\0" in text:
        return "The value holds a NUL character, which no shell variable can hold.", "Remove it."
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "The value holds half a surrogate pair, which is not Unicode text.", "Remove it."
    if longest is not None and size > longest:
        return (
            f"The value is {size} bytes long; {longest} can travel.",
            "Copy it to the target as a file and give its path.",
        )
    return None


def refuse_values(used: Sequence[Placeholder], problems: Mapping[str, tuple[str, str] | None]) -> None:
    """Raises `BindingRefused` for the first placeholder of each name that has a problem."""
    first = {mark.name: mark for mark in reversed(used)}
    refused = [
        Refusal(name, mark.line, mark.column, *problem)
        for name, mark in first.items()
        if (problem := problems.get(name)) is not None
    ]
    if refused:
        raise BindingRefused(sorted(refused, key=lambda refusal: (refusal.line, refusal.column)))


EXPORTED_BYTES = limits.PARAMETER_BYTES
