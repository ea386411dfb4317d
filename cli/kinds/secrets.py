"""Secrets as people hand them over: from a file, the environment or a prompt, never as an argument."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from cli.client.problems import CliError
from cli.client.texts import decoded
from cli.kinds.credential import ValueFrom

_KEPT_WHOLE = ("private_key", "certificate")
"""Texts of several lines; from all others a line end at the end is taken off."""
_SPELLING = "Write it as FIELD=@FILE, FIELD=env:NAME or FIELD=prompt."


def given_secrets(given: Sequence[str], *, of: str) -> dict[str, str]:
    """`password=@file` and the like of one credential; raises `CliError`."""
    return {name: from_words(name, source, of=of) for name, source in (_pair(text) for text in given)}


def split_by_credential(given: Sequence[str]) -> dict[str, dict[str, str]]:
    """`web.password=@file` and the like: by credential, the source of each field. Nothing is read yet."""
    found: dict[str, dict[str, str]] = {}
    for text in given:
        place, source = _pair(text)
        name, dot, field = place.rpartition(".")
        if not dot or not name or not field:
            raise CliError(
                f"--secret {place}: of which credential, and which field of it?",
                hints=("Write it as CREDENTIAL.FIELD=SOURCE, for example web.password=env:WEB_PASSWORD",),
            )
        found.setdefault(name, {})[field] = source
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, source = text.partition("=")
    if not equals or not name or not (source == "prompt" or source.startswith(("@", "env:"))):
        shown = name if equals else "…"  # without a sign it may be the secret itself
        raise CliError(f"--secret {shown}: a secret is never given itself.", hints=(_SPELLING,))
    return name, source


def from_words(field: str, source: str, *, of: str) -> str:
    """The secret that `@file`, `env:NAME` or `prompt` stands for; raises `CliError`."""
    if source.startswith("@"):
        return from_place(field, ValueFrom(file=source[1:]), of=of)
    if source.startswith("env:"):
        return from_place(field, ValueFrom(env=source[4:]), of=of)
    if not sys.stdin.isatty():
        raise CliError(f"There is no terminal to ask for the {field} of {of}.", hints=(_SPELLING,))
    return _required(str(typer.prompt(f"{field} of {of}", hide_input=True, err=True)), field, of)


def from_place(field: str, place: ValueFrom, *, of: str) -> str:
    """The secret in a file or a variable of the environment; raises `CliError`."""
    if place.env is not None:
        value = os.environ.get(place.env)
        if value is None:
            raise CliError(f"{field} of {of}: the variable {place.env} is not set.")
        return _required(value, field, of)
    assert place.file is not None  # noqa: S101  (one of both is checked where it is read)
    try:
        text = decoded(Path(place.file).expanduser().read_bytes())
    except OSError as error:
        raise CliError(f"{field} of {of}: {place.file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise CliError(f"{field} of {of}: {place.file} is not text in UTF-8.") from None
    return _required(text if field in _KEPT_WHOLE else text.rstrip("\r\n"), field, of)


def _required(value: str, field: str, of: str) -> str:
    if not value:
        raise CliError(f"The {field} of {of} is empty.")
    return value
