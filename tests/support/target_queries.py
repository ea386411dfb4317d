"""Random queries and targets, and a second, plain reading of what a query means."""

import re
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from contracts.targets.query import COMPARISONS, Op, Pattern, Query, Term, Value

WORDS = [
    "a",
    "b",
    "ab",
    "A",
    "web",
    "Web-1",
    "x y",
    "ä",
    "50%",
    "a_b",
    "q\"'",
    "back\\slash",
    "=",
    ",",
    "*",
    "",
]
NUMBERS = ["0", "1", "2.5", "-3", "8", "10"]
FACTS = ["memory_gb", "os_version", "ips", "disks.free_gb", "disks", "ready"]

words = st.sampled_from(WORDS) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x2FF), max_size=4
)
patterns = st.lists(words, min_size=1, max_size=3).map(lambda parts: Pattern(tuple(parts)))
literals = words.map(lambda word: Pattern((word,)))
numbers = st.sampled_from(NUMBERS).map(lambda number: Pattern((number,)))


def _term(field: str, op: Op, value: st.SearchStrategy[Value]) -> st.SearchStrategy[Term]:
    values = st.lists(value, min_size=1, max_size=3).map(tuple)
    return st.builds(Term, st.just(field), st.just(op), values, st.booleans())


def _plain(pattern: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Value]:
    return pattern.map(Value)


terms: st.SearchStrategy[Term] = st.one_of(
    _term("os", Op.IS, _plain(st.sampled_from(["windows", "linux"]).map(lambda os: Pattern((os,))))),
    st.sampled_from(["name", "hostname", "pool"]).flatmap(
        lambda field: _term(field, Op.IS, _plain(patterns)) | _term(field, Op.CONTAINS, _plain(literals))
    ),
    _term("tag", Op.IS, st.builds(Value, patterns, st.none() | patterns)),
    st.sampled_from(FACTS).flatmap(
        lambda path: (
            _term(f"facts.{path}", Op.IS, _plain(patterns | numbers))
            | _term(f"facts.{path}", Op.CONTAINS, _plain(literals | numbers))
            | st.sampled_from(sorted(COMPARISONS)).flatmap(
                lambda op: _term(f"facts.{path}", op, _plain(numbers))
            )
        )
    ),
)
queries = st.lists(terms, min_size=1, max_size=3).map(lambda found: Query(tuple(found)))

names = words.filter(lambda word: bool(word) and "\0" not in word)
scalars = (
    st.none() | st.booleans() | st.integers(-3, 10) | st.sampled_from([2.5, 8.0, 1e3]) | words | st.just("8")
)
facts = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "memory_gb": scalars,
        "os_version": scalars,
        "ready": scalars,
        "ips": st.lists(scalars, max_size=3),
        "disks": st.lists(st.fixed_dictionaries({}, optional={"free_gb": scalars}), max_size=2) | scalars,
    },
)
targets = st.fixed_dictionaries(
    {
        "name": names,
        "hostname": words,
        "pool": words,
        "os": st.sampled_from(["windows", "linux"]),
        "tags": st.dictionaries(names, words, max_size=3),
        "facts": facts,
    }
)


def fits(query: Query, target: dict[str, Any]) -> bool:
    """What the documentation says, without any SQL."""
    return all(_holds(term, target) != term.negated for term in query.terms)


def _holds(term: Term, target: dict[str, Any]) -> bool:
    return any(_one(term, value, target) for value in term.values)


def _one(term: Term, value: Value, target: dict[str, Any]) -> bool:
    if term.field == "tag":
        return any(
            _is(value.pattern, name) and (value.tag_value is None or _is(value.tag_value, held))
            for name, held in target["tags"].items()
        )
    if term.fact_path is None:
        return _text(term.op, value.pattern, target[term.field])
    return any(_fact(term.op, value.pattern, entry) for entry in _entries(target["facts"], term.fact_path))


def _entries(found: Any, path: tuple[str, ...]) -> list[Any]:
    here = [found]
    for step in path:
        inside = [item for one in here for item in (one if isinstance(one, list) else [one])]
        here = [one[step] for one in inside if isinstance(one, dict) and step in one]
    return [item for one in here for item in (one if isinstance(one, list) else [one])]


def _fact(op: Op, pattern: Pattern, entry: Any) -> bool:
    if entry is None or isinstance(entry, dict | list):
        return False
    if op is Op.IS and pattern.parts == ("", ""):
        return True
    if isinstance(entry, bool | str):
        text = entry if isinstance(entry, str) else str(entry).lower()
        return op not in COMPARISONS and _text(op, pattern, text)
    return pattern.number is not None and _number(op, Decimal(str(entry)), pattern.number)


def _number(op: Op, held: Decimal, wanted: Decimal) -> bool:
    return {
        Op.IS: held == wanted,
        Op.CONTAINS: False,
        Op.ABOVE: held > wanted,
        Op.AT_LEAST: held >= wanted,
        Op.BELOW: held < wanted,
        Op.AT_MOST: held <= wanted,
    }[op]


def _text(op: Op, pattern: Pattern, text: str) -> bool:
    if op is Op.CONTAINS:
        return _ascii_lower(pattern.parts[0]) in _ascii_lower(text)
    return _is(pattern, text)


def _is(pattern: Pattern, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.parts)), text, re.DOTALL) is not None


def _ascii_lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)
