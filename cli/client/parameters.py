"""Parameters as people type them: `name=value` and `name=@file`, as values of the types a job declares."""

from pathlib import Path
from typing import Any

from cli.client.problems import CliError
from cli.client.texts import decoded

_KINDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def typed_parameters(definition: dict[str, Any], given: list[str]) -> dict[str, Any]:
    """`name=value` texts as values of the types that the job declares; raises `CliError` naming bad ones.

    `@file` for a parameter of type `file` is a `Path`, to be stored before the run is asked for.
    """
    declared = definition.get("parameters") or {}
    values: dict[str, Any] = {}
    problems = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            problems.append(f"{text!r}: write it as name=value")
        elif name not in declared:
            problems.append(f"{name}: is not a parameter of this job; it has {_names(declared)}")
        else:
            try:
                values[name] = _value(_type_of(declared[name]), value)
            except ValueError as error:
                problems.append(f"{name}: {error}")
    if problems:
        raise CliError("These parameters cannot be used.", hints=problems)
    return values


def _names(declared: dict[str, Any]) -> str:
    return ", ".join(declared) if declared else "none"


def _type_of(spec: Any) -> str:
    """The declared type; of the plain map of defaults, that of the default."""
    if isinstance(spec, dict):
        return str(spec.get("type", "string"))
    if isinstance(spec, bool):
        return "boolean"
    if isinstance(spec, int):
        return "integer"
    return "number" if isinstance(spec, float) else "string"


def _value(kind: str, text: str) -> Any:
    if kind == "file" and text.startswith("@"):
        return _stored_soon(Path(text[1:]).expanduser())
    return _typed(kind, _text(text))


def _stored_soon(file: Path) -> Path:
    if not file.is_file():
        raise ValueError(f"{file} is no file")
    return file


def _typed(kind: str, text: str) -> Any:
    try:
        if kind == "boolean":
            return _BOOLEANS[text.strip().lower()]
        if kind == "integer":
            return int(text)
        return float(text) if kind == "number" else text
    except (ValueError, KeyError):
        raise ValueError(f"{text[:60]!r} is not {_KINDS[kind]}") from None


def _text(value: str) -> str:
    """`@file` is what the file holds, `@@text` is `@text`; raises `ValueError` telling what is wrong."""
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    try:
        return decoded(Path(value[1:]).expanduser().read_bytes())
    except OSError as error:
        raise ValueError(f"{value[1:]} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{value[1:]} is not text in UTF-8") from None
