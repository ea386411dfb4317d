"""The settings as a page of documentation: `python -m infra.settings_reference` prints it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from infra.settings import Settings

_HEAD = """# Settings

Every process is configured by its environment alone. What is missing or unsafe is named at start, all of it
in one message. A setting whose name ends in `_FILE` names a file that holds a secret, so that the secret
itself stands in no environment; the keys take a file's name or the key itself.

| variable | takes | default | meaning |
|---|---|---|---|
"""
_WORDS = {
    bool: "`true` or `false`",
    str: "text",
    int: "whole number",
    float: "number",
    Path: "path",
    tuple: "list",
}


def page() -> str:
    """Every setting in the order in which `Settings` declares them."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`OPS_{name.upper()}`", _takes(field), _default(field.default), field.description or "")
    return "| " + " | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in cells) + " |\n"


def _takes(field: FieldInfo) -> str:
    kinds = [field.annotation]
    if get_origin(field.annotation) in {Union, UnionType}:
        kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType]
    bounds = list(field.metadata)
    words = []
    for kind in kinds:
        bounds += getattr(kind, "__metadata__", ())
        words.append(_kind(getattr(kind, "__origin__", kind) if hasattr(kind, "__metadata__") else kind))
    return " or ".join(words) + "".join(limit for each in bounds for limit in _bounds(each))


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    return _WORDS[get_origin(kind) or kind]


def _bounds(limit: object) -> Iterator[str]:
    for each in limit.metadata if isinstance(limit, FieldInfo) else (limit,):
        match each:
            case annotated_types.Ge(ge=least):
                yield f", at least {least}"
            case annotated_types.Gt(gt=least):
                yield f", more than {least}"
            case annotated_types.Le(le=most):
                yield f", at most {most}"


def _default(value: object) -> str:
    if value is None or value in ("", ()):
        return "none"
    return f"`{','.join(value)}`" if isinstance(value, tuple) else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
