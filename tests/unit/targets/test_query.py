"""The language of target queries: what it reads, what it prints, and what it says of what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.targets.query import Op, Pattern, Query, QueryRefused, Term, Value, parse_query
from tests.support.target_queries import queries


@given(queries)
def test_a_printed_query_is_read_as_the_same_query(query: Query) -> None:
    assert parse_query(str(query)) == query


@given(st.text(max_size=60) | st.text('os:tagnme="*,!~>< \\facts.x1', max_size=40))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    position, query = 1, None
    try:
        query = parse_query(text)
    except QueryRefused as refused:
        position = refused.position
    assert 1 <= position <= len(text) + 1
    assert query is None or parse_query(str(query)) == query


def test_the_documented_query_is_understood() -> None:
    query = parse_query(
        'os:windows tag:prod,role="web 1" !name:old-* facts.memory_gb>=8 facts.os_version~2019'
    )

    one = Pattern
    assert query.terms == (
        Term("os", Op.IS, (Value(one(("windows",))),)),
        Term("tag", Op.IS, (Value(one(("prod",))), Value(one(("role",)), one(("web 1",))))),
        Term("name", Op.IS, (Value(one(("old-", ""))),), negated=True),
        Term("facts.memory_gb", Op.AT_LEAST, (Value(one(("8",))),)),
        Term("facts.os_version", Op.CONTAINS, (Value(one(("2019",))),)),
    )


def test_a_star_in_quotes_is_a_star() -> None:
    [term] = parse_query('name:"a*"*').terms

    assert term.values[0].pattern == Pattern(("a*", ""))


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 1, "empty"),
        ("os:mac", 4, "windows or linux"),
        ("web", 1, "name~web"),
        ("pool:x colour:red", 8, "no field colour"),
        ("name:", 6, '""'),
        ("name:a,", 8, '""'),
        ('name:"a', 6, "not closed"),
        ('name:"a\\b"', 9, "double it"),
        ("name>5", 5, "only facts"),
        ("tag~x", 4, "takes only"),
        ("facts.cpu_count>many", 17, "a number"),
        ("facts.:1", 1, "facts.memory_gb"),
        ("name!=x", 5, "!name:"),
        ('name:"a"b:c os', 15, "operator"),
        ("name~a*", 6, "contains"),
        ("tag:a=b=c", 0, ""),
        ("name:a\0", 7, "cannot be part"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, position: int, reason: str) -> None:
    if not position:
        assert parse_query(text).terms[0].values[0].tag_value == Pattern(("b=c",))
        return
    with pytest.raises(QueryRefused, match=reason) as refused:
        parse_query(text)
    assert refused.value.position == position
