"""Parameters as people type them: `name=value` and `name=@file`, as values of the types a job declares."""

from pathlib import Path
from typing import Any

from cli.client.problems import CliError
from cli.client.texts import decoded

_KINDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def typed_parameters(definition: dict[str, Any], given: list[str]) -> dict[str, Any]:
    """`name=value` texts as values of the types that the job declares; raises `CliError` naming bad ones.

    A parameter of type `multi` takes as many as are given.

    `@file` for a parameter of type `file` is a `Path`, to be stored before the run is asked for.
    """
    declared = definition.get("parameters") or {}
    texts: dict[str, list[str]] = {}
    problems: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            problems[text] = f"{text!r}: write it as name=value"
        elif name not in declared:
            problems[name] = f"{name}: is not a parameter of this job; it has {_names(declared)}"
        else:
            texts.setdefault(name, []).append(value)
            problems[name] = ""  # keeps their order
    values: dict[str, Any] = {}
    for name, said in texts.items():
        try:
            values[name] = _of_all(_type_of(declared[name]), said)
        except ValueError as error:
            problems[name] = f"{name}: {error}"
    if any(problems.values()):
        raise CliError("These parameters cannot be used.", hints=list(filter(None, problems.values())))
    return values


def described(name: str, spec: Any) -> tuple[str, str, str, str, str]:
    """A declared parameter in words: name, type, default, choices, what it is for."""
    said = spec if isinstance(spec, dict) else {"default": spec}
    kind = _type_of(spec) + (", required" if said.get("required") else "")
    choices = value_in_words(said.get("choices") or "")
    if other := said.get("depends_on"):
        groups = (f"{value}: {value_in_words(of)}" for value, of in (said.get("choices_for") or {}).items())
        choices = f"by {other}: {'; '.join(groups)}"
    default = value_in_words(said.get("default")) if said.get("default") is not None else ""
    return name, kind, default, choices, str(said.get("description") or "")


def value_in_words(value: Any) -> str:
    """A value as people write it: `true`, `a, b`."""
    if isinstance(value, list):
        return ", ".join(map(value_in_words, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_all(kind: str, said: list[str]) -> Any:
    """The value of a parameter by all that was said of it: of a list `name=` alone is the empty one."""
    if kind == "multi":
        return [] if said == [""] else [_text(text) for text in said]
    if len(said) > 1:
        raise ValueError("is given more than once, and is no list")
    return _value(kind, said[0])


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
