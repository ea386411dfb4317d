"""Finding `{{ name }}` in a script, and what only looks like one."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from contracts.binding.model import NAME, Placeholder, Refusal

_OPENING = re.compile(r"\{\{[ \t]{0,200}")
_CLOSED = re.compile(r"(?P<body>[^{}\r\n]{0,200}?)[ \t]{0,200}\}\}")
_NOT_MEANT = "If no parameter is meant, keep the two braces apart (in a string: '{' '{', else: { {)."


class Lines:
    """Turns offsets into lines and columns, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def placeholders(script: str) -> tuple[Placeholder, ...]:
    """Every well-formed placeholder in the order of the script."""
    return tuple(found for found in _scan(script) if isinstance(found, Placeholder))


def malformed(script: str) -> tuple[Refusal, ...]:
    """Every `{{` that looks like a placeholder and is none: a bad name, not closed, a filter."""
    return tuple(found for found in _scan(script) if isinstance(found, Refusal))


def _scan(script: str) -> Iterator[Placeholder | Refusal]:
    """`{{` followed by neither a name nor `}}` is the script's own text (Go templates, nested blocks)."""
    lines = Lines(script)
    offset = 0
    while opening := _OPENING.search(script, offset):
        start = opening.start()
        line, column = lines.place(start)
        closed = _CLOSED.match(script, opening.end())
        body = closed["body"] if closed else script[opening.end() : opening.end() + 65]
        if not _looks_meant(body, closed=closed is not None):
            offset = start + 1
            continue
        offset = closed.end() if closed else opening.end()
        problem = _problem(script, start, body, closed=closed is not None)
        if problem is None:
            yield Placeholder(body, line, column, start, offset)
        else:
            yield Refusal(_shown(body), line, column, *problem)


def _looks_meant(body: str, *, closed: bool) -> bool:
    return (closed and not body) or (bool(body) and (body[0].isalnum() or body[0] == "_"))


def _shown(body: str) -> str:
    return re.split(r"[\s|}]", body, maxsplit=1)[0][:64]


def _problem(script: str, start: int, body: str, *, closed: bool) -> tuple[str, str] | None:
    if not closed:
        return "The placeholder is not closed on its line.", f"Write {{{{ name }}}}. {_NOT_MEANT}"
    if start and script[start - 1] == "{":
        return "Three braces in a row leave open which of them are the placeholder's.", "Write { {{ name }}."
    name, bar, rest = body.partition("|")
    if bar and rest.strip() == "raw":
        return (
            "`| raw` pastes the value as program text and needs its own permission, which is not available.",
            f"Write {{{{ {name.strip()} }}}}: the value is then bound as data.",
        )
    if bar:
        return "There are no filters.", f"Write {{{{ {name.strip()} }}}}. {_NOT_MEANT}"
    if NAME.fullmatch(body) is None:
        return (
            "A parameter name is a letter or underscore, then at most 63 letters, digits, underscores.",
            f"Write {{{{ name }}}}. {_NOT_MEANT}",
        )
    return None
