"""The small language in which sets of targets are described: `os:windows tag:role=web !name:x*`.

    query   = term { blank term }              every term must hold
    term    = [ "!" ] field operator value { "," value }     one of the values must
    field   = "os" | "name" | "hostname" | "pool" | "tag" | "facts." path
    operator= ":" or "=" (is)  "~" (contains)  ">" ">=" "<" "<="
    value   = pieces of bare text, "quoted text" and `*`, which stands for any text

`tag:prod` asks for the tag, `tag:role=web` for its value as well. `~` ignores the case of ASCII letters, `:`
does not. Comparisons need a number and are for facts only. A fact that is a list holds when one entry does.
What a target lacks never holds, so `!` finds it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn

QUERY_CHARACTERS = 2_000
TERMS = 50
VALUES = 200

OS_NAMES = ("windows", "linux")
PLAIN_FIELDS = ("name", "hostname", "pool")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FACT_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,4}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,15})?")
_BARE = re.compile(r"[A-Za-z0-9_./@:+%#-]+")
"""What is printed without quotes; more than this is understood without them."""
_BLANKS = " \t\r\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class QueryRefused(ValueError):
    """A text is no query; `position` counts characters from 1."""

    def __init__(self, reason: str, position: int) -> None:
        self.reason, self.position = reason, position
        super().__init__(f"at character {position}: {reason}")


class Op(StrEnum):
    IS = ":"
    CONTAINS = "~"
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


_OPERATORS = {">=": Op.AT_LEAST, "<=": Op.AT_MOST} | {op.value: op for op in Op} | {"=": Op.IS}
"""The longer ones first."""
COMPARISONS = frozenset({Op.ABOVE, Op.AT_LEAST, Op.BELOW, Op.AT_MOST})


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text in which any text may stand between two `parts`; one part is the text itself."""

    parts: tuple[str, ...]

    @property
    def is_literal(self) -> bool:
        return len(self.parts) == 1

    @property
    def number(self) -> Decimal | None:
        """The number this is, if it is one."""
        return Decimal(self.parts[0]) if self.is_literal and _NUMBER.fullmatch(self.parts[0]) else None

    def __str__(self) -> str:
        shown = "*".join(_quoted(part) if part else "" for part in self.parts)
        return shown or '""'


@dataclass(frozen=True, slots=True)
class Value:
    """One alternative of a term; `tag_value` only where the field is `tag` and a value was asked for."""

    pattern: Pattern
    tag_value: Pattern | None = None

    def __str__(self) -> str:
        return str(self.pattern) if self.tag_value is None else f"{self.pattern}={self.tag_value}"


@dataclass(frozen=True, slots=True)
class Term:
    """Holds when one of its values does, or none of them if `negated`."""

    field: str
    op: Op
    values: tuple[Value, ...]
    negated: bool = False

    @property
    def fact_path(self) -> tuple[str, ...] | None:
        """Where in the facts to look; None for a term about something else."""
        head, _, path = self.field.partition(".")
        return tuple(path.split(".")) if head == "facts" else None

    def __str__(self) -> str:
        return f"{'!' if self.negated else ''}{self.field}{self.op}{','.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class Query:
    """What a set of targets has in common: every term holds."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        """The query as text; parsing it gives the same query again."""
        return " ".join(map(str, self.terms))


def _quoted(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_query(text: str) -> Query:
    """The query in `text`; raises `QueryRefused` with the place and what to write instead."""
    if len(text) > QUERY_CHARACTERS:
        raise QueryRefused(f"a query has at most {QUERY_CHARACTERS} characters", QUERY_CHARACTERS + 1)
    terms = tuple(_Reader(text).terms())
    if not terms:
        raise QueryRefused("the query is empty; `name:*` describes every target", 1)
    return Query(terms)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def terms(self) -> Iterator[Term]:
        count = 0
        while self._skip_blanks():
            if (count := count + 1) > TERMS:
                self._refuse(f"a query has at most {TERMS} terms")
            yield self._term()
            if self._at < len(self._text) and self._text[self._at] not in _BLANKS:
                self._refuse("a blank must follow; put what holds other characters in quotes")

    def _skip_blanks(self) -> bool:
        while self._at < len(self._text) and self._text[self._at] in _BLANKS:
            self._at += 1
        return self._at < len(self._text)

    def _refuse(self, reason: str, at: int | None = None) -> NoReturn:
        raise QueryRefused(reason, (self._at if at is None else at) + 1)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _term(self) -> Term:
        negated = self._take("!")
        field = self._field()
        op = self._operator(field)
        values = [self._value(field, op)]
        while self._take(","):
            if len(values) == VALUES:
                self._refuse(f"a term has at most {VALUES} values")
            values.append(self._value(field, op))
        return Term(field, op, tuple(values), negated)

    def _field(self) -> str:
        start = self._at
        found = _FIELD.match(self._text, start)
        if found is None:
            self._refuse("a field is expected: os, name, hostname, pool, tag, or facts.…")
        field = found[0]
        head, _, path = field.partition(".")
        if head == "facts":
            if not _FACT_PATH.fullmatch(path):
                self._refuse("a fact is named like facts.memory_gb or facts.disks.free_gb", start)
        elif field not in {"os", "tag", *PLAIN_FIELDS}:
            rest = self._text[found.end() : found.end() + 1]
            hint = f"; for names that contain it write name~{field}" if rest in ("", *_BLANKS) else ""
            known = "os, name, hostname, pool, tag and facts.…"
            self._refuse(f"there is no field {field}, only {known}{hint}", start)
        self._at = found.end()
        return field

    def _operator(self, field: str) -> Op:
        start = self._at
        if self._text.startswith("!=", start):
            self._refuse(f"write !{field}: in front of the term instead of !=")
        spelled = next((one for one in _OPERATORS if self._text.startswith(one, start)), None)
        if spelled is None:
            self._refuse(f"an operator is expected after {field}: : ~ > >= < <=")
        self._at += len(spelled)
        op = _OPERATORS[spelled]
        self._require_fit(field, op, start)
        return op

    def _require_fit(self, field: str, op: Op, start: int) -> None:
        if op in COMPARISONS and not field.startswith("facts."):
            self._refuse(f"{op} compares numbers, which only facts are", start)
        if op is Op.CONTAINS and field in {"os", "tag"}:
            self._refuse(f"{field} takes only `:`, with * for any text", start)

    def _value(self, field: str, op: Op) -> Value:
        start = self._at
        pattern = self._pattern(stop="=" if field == "tag" else "")
        if field == "tag":
            return Value(pattern, self._pattern(stop="") if self._take("=") else None)
        if field == "os" and pattern.parts not in {(name,) for name in OS_NAMES}:
            self._refuse(f"os is {' or '.join(OS_NAMES)}", start)
        if op in COMPARISONS and pattern.number is None:
            self._refuse("a number is expected, such as 8 or 2.5", start)
        if op is Op.CONTAINS and not pattern.is_literal:
            self._refuse("~ means `contains` already; leave the * away, or put it in quotes", start)
        return Value(pattern)

    def _pattern(self, *, stop: str) -> Pattern:
        """Pieces up to a blank, a comma or `stop`."""
        start, parts, current = self._at, [], ""
        while (character := self._peek()) and character not in _BLANKS + "," + stop:
            if character == '"':
                current += self._quote()
            elif self._take("*"):
                parts.append(current)
                current = ""
            else:
                self._require_text(character)
                current += character
                self._at += 1
        if self._at == start:
            self._refuse('a value is expected; an empty one is written ""')
        return Pattern((*parts, current))

    def _quote(self) -> str:
        start, text = self._at, ""
        self._at += 1
        while not self._take('"'):
            if self._take("\\") and self._peek() not in {"\\", '"'}:
                self._refuse('in quotes a backslash stands before \\ or " only; double it')
            character = self._peek()
            if not character:
                self._refuse("this quote is not closed", start)
            self._require_text(character)
            text += character
            self._at += 1
        return text

    def _require_text(self, character: str) -> None:
        if _CONTROL.match(character):
            self._refuse("this character cannot be part of a value")
