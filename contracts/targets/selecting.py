"""The one translation of a query to SQL: a condition on the table `targets`, every value a parameter."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from contracts.targets.query import COMPARISONS, Op, Pattern, Query, Term, Value

_COLUMNS = {"name": "name", "hostname": "hostname", "pool": "pool", "os": "os"}
_UPPER_TO_LOWER = {ord(upper): ord(upper.lower()) for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL for a WHERE clause and its named parameters."""

    sql: str
    values: dict[str, Any] = field(default_factory=dict)


def lowered(text: str) -> str:
    """Without upper-case ASCII letters: what SQL's lower() does in the collation "C"."""
    return text.translate(_UPPER_TO_LOWER)


def condition(query: Query, *, table: str = "targets", prefix: str = "q") -> Condition:
    """The query as a condition on `table`; the names of its parameters begin with `prefix`."""
    return _Translation(table, prefix).of(query)


class _Translation:
    def __init__(self, table: str, prefix: str) -> None:
        self._table, self._prefix = table, prefix
        self._values: dict[str, Any] = {}

    def of(self, query: Query) -> Condition:
        sql = " AND ".join(self._term(term) for term in query.terms)
        return Condition(f"({sql})", self._values)

    def _parameter(self, value: Any, sql_type: str) -> str:
        name = f"{self._prefix}{len(self._values)}"
        self._values[name] = value
        return f"CAST(:{name} AS {sql_type})"

    def _term(self, term: Term) -> str:
        sql = f"({' OR '.join(self._alternatives(term))})"
        return f"NOT {sql}" if term.negated else sql

    def _alternatives(self, term: Term) -> Iterator[str]:
        for value in term.values:
            if (path := term.fact_path) is not None:
                yield self._fact(path, term.op, value.pattern)
            elif term.field == "tag":
                yield self._tag(value)
            else:
                yield self._text(f"{self._table}.{_COLUMNS[term.field]}", term.op, value.pattern)

    def _text(self, column: str, op: Op, pattern: Pattern) -> str:
        if op is Op.CONTAINS:
            wanted = self._parameter(lowered(pattern.parts[0]), "text")
            return f'position({wanted} IN lower({column} COLLATE "C")) > 0'
        if pattern.is_literal:
            return f"{column} = {self._parameter(pattern.parts[0], 'text')}"
        return f"{column} LIKE {self._parameter(_like(pattern), 'text')}"

    def _tag(self, value: Value) -> str:
        wanted = self._text("tag.key", Op.IS, value.pattern)
        if value.tag_value is not None:
            wanted += f" AND {self._text('tag.value', Op.IS, value.tag_value)}"
        return f"EXISTS (SELECT FROM jsonb_each_text({self._table}.tags) AS tag WHERE {wanted})"

    def _fact(self, path: tuple[str, ...], op: Op, pattern: Pattern) -> str:
        steps = "".join(f'."{step}"' for step in path)
        # Lax paths look into lists by themselves; the last step lists what a list holds.
        place = self._parameter(f"lax ${steps}[*]", "jsonpath")
        found = f"jsonb_path_query({self._table}.facts, {place}) AS fact (entry)"
        return f"EXISTS (SELECT FROM {found} WHERE {self._entry(op, pattern)})"

    def _entry(self, op: Op, pattern: Pattern) -> str:
        text, kind = "fact.entry #>> '{}'", "jsonb_typeof(fact.entry)"
        if pattern.parts == ("", "") and op is Op.IS:
            return f"{kind} IN ('string', 'number', 'boolean')"
        numeric = "false"
        if op in COMPARISONS or op is Op.IS:
            numeric = self._number(text, op, pattern.number)
        textual = "false" if op in COMPARISONS else self._text(f"({text})", op, pattern)
        return (
            f"CASE WHEN {kind} = 'number' THEN {numeric} "
            f"WHEN {kind} IN ('string', 'boolean') THEN {textual} ELSE false END"
        )

    def _number(self, text: str, op: Op, wanted: Decimal | None) -> str:
        if wanted is None:
            return "false"
        sign = "=" if op is Op.IS else op.value
        return f"({text})::numeric {sign} {self._parameter(wanted, 'numeric')}"


def _like(pattern: Pattern) -> str:
    escaped = (part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for part in pattern.parts)
    return "%".join(escaped)
