"""Binding in texts that no shell reads (environment values, paths, standard input): plain replacement."""

from collections.abc import Collection, Mapping
from typing import Any

from contracts.binding.model import BindingRefused, ParameterValue, Refusal
from contracts.binding.reading import undefined
from contracts.binding.scanning import malformed, placeholders
from contracts.binding.values import problem_of, refuse_values, text_of


def check_text(text: str, declared: Collection[str]) -> tuple[Refusal, ...]:
    """Every placeholder that is malformed or names no parameter; empty when the text is fine."""
    unknown = tuple(
        Refusal(mark.name, mark.line, mark.column, *undefined(mark.name, declared))
        for mark in placeholders(text)
        if mark.name not in declared
    )
    return malformed(text) + unknown


def fill(text: str, parameters: Mapping[str, ParameterValue]) -> str:
    """`text` with every placeholder replaced by its value; a value is never read again for placeholders.

    Raises `BindingRefused` for what `check_text` refuses and for a value that cannot travel (NUL).
    """
    if problems := check_text(text, parameters):
        raise BindingRefused(problems)
    marks = placeholders(text)
    refuse_values(marks, {mark.name: problem_of(parameters[mark.name]) for mark in marks})
    for mark in reversed(marks):
        text = text[: mark.start] + text_of(parameters[mark.name]) + text[mark.end :]
    return text


def fill_all(value: Any, parameters: Mapping[str, ParameterValue]) -> Any:
    """The same for every text inside maps and lists; keys and other values stay. Raises as `fill` does."""
    if isinstance(value, str):
        return fill(value, parameters)
    if isinstance(value, Mapping):
        return {key: fill_all(item, parameters) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(fill_all(item, parameters) for item in value)
    return value
