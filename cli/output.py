"""The forms in which a command can answer: tables for people, the API's own objects for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jmespath
import yaml
from jmespath.exceptions import JMESPathError

from cli import render
from cli.client.problems import CliError


class Output(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    JSONL = "jsonl"
    YAML = "yaml"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the field or function that fills it. `wide` ones are for `-o wide`."""

    title: str
    value: str | Callable[[dict[str, Any]], Any]
    wide: bool = False

    def of(self, item: dict[str, Any]) -> Any:
        return item.get(self.value) if isinstance(self.value, str) else self.value(item)


@dataclass(frozen=True, slots=True)
class Out:
    """How this command was asked to answer. Only answers go to stdout; all other words to stderr."""

    form: Output = Output.TABLE
    query: str | None = None
    headers: bool = True

    def __post_init__(self) -> None:
        """Raises `CliError` for a query that cannot be read, before anything is done."""
        if self.query is not None:
            try:
                jmespath.compile(self.query)
            except JMESPathError as error:
                reason = str(error).splitlines()[0].rstrip(": ")
                hint = "It is JMESPath, for example `[?status=='failed'].id`; see jmespath.org."
                raise CliError(f"--query cannot be read: {reason}", hints=(hint,)) from None

    @property
    def for_people(self) -> bool:
        return self.form in {Output.TABLE, Output.WIDE} and self.query is None

    def items(
        self, items: Sequence[dict[str, Any]], columns: Sequence[Column], *, empty: str, name: str = "name"
    ) -> None:
        """A list. `empty` is said when there is nothing; `name` is the field that `-o name` prints."""
        if not self.for_people:
            return self.data(list(items), name=name)
        shown = [column for column in columns if self.form is Output.WIDE or not column.wide]
        rows = ([column.of(item) for column in shown] for item in items)
        return render.table([c.title for c in shown], rows, empty=empty, headers=self.headers)

    def one(
        self, item: Mapping[str, Any], show: Callable[[], None] | None = None, *, name: str = "name"
    ) -> None:
        """One object; `show` tells people of it, else its fields do."""
        if not self.for_people:
            return self.data(dict(item), name=name)
        if show is not None:
            return show()
        rows = ((field, _flat(value)) for field, value in item.items())
        return render.table(("FIELD", "VALUE"), rows, empty="", headers=self.headers)

    def data(self, document: Any, *, name: str = "name") -> None:
        """Objects for programs, in a form that does not change with the terminal."""
        if self.query is not None:
            try:
                document = jmespath.search(self.query, document)
            except JMESPathError as error:
                raise CliError(f"--query does not fit the answer: {str(error).splitlines()[0]}") from None
        _WRITERS[self.form](document, name)


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _json(document: Any, _name: str) -> None:
    render.as_json(document)


def _jsonl(document: Any, _name: str) -> None:
    for item in document if isinstance(document, list) else [document]:
        sys.stdout.write(json.dumps(item, ensure_ascii=False, default=str) + "\n")


def _yaml(document: Any, _name: str) -> None:
    sys.stdout.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _names(document: Any, name: str) -> None:
    for item in document if isinstance(document, list) else [document]:
        shown = item.get(name) or item.get("id") if isinstance(item, dict) else item
        sys.stdout.write(f"{shown}\n")


def _queried(document: Any, _name: str) -> None:
    """What a query found: words one a line, everything else as JSON."""
    plain = str | int | float | bool
    found = document if isinstance(document, list) else [document]
    if document is not None and all(isinstance(item, plain) for item in found):
        for item in found:
            sys.stdout.write(f"{item if isinstance(item, str) else json.dumps(item)}\n")
    else:
        render.as_json(document)


_WRITERS: Mapping[Output, Callable[[Any, str], None]] = {
    Output.TABLE: _queried,
    Output.WIDE: _queried,
    Output.JSON: _json,
    Output.JSONL: _jsonl,
    Output.YAML: _yaml,
    Output.NAME: _names,
}
