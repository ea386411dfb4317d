"""Values in HTTP requests arrive as data: whatever they hold, they stay where they were put."""

import json
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.binding import (
    BindingRefused,
    ParameterValue,
    bind_header,
    bind_json,
    bind_raw,
    bind_url,
    check_header,
    check_json,
    check_raw,
    check_url,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
TEXTS |= st.sampled_from(
    ['","admin":true,"', "a&b=c#d", "../../etc", "\r\nX: y", "]]><a/>", "{{ b }}", "%2e"]
)
XML_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=60)


@given(TEXTS, TEXTS)
def test_a_value_in_a_url_is_one_piece_of_path_or_query(path: str, query: str) -> None:
    bound = bind_url("https://h.test/v1/a-{{ a }}/x?q={{ b }}&r=1", {"a": path, "b": query})

    parts = urlsplit(bound)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "h.test", "")
    assert [unquote(one) for one in parts.path.split("/")] == ["", "v1", f"a-{path}", "x"]
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", query), ("r", "1")]


@given(TEXTS)
def test_no_value_leads_a_request_to_another_host(host: str) -> None:
    try:
        bound = bind_url("https://{{ a }}.example.com:{{ p }}/x", {"a": host, "p": 8443})
    except BindingRefused:
        return
    assert (urlsplit(bound).hostname or "").endswith(".example.com")
    assert (urlsplit(bound).path, urlsplit(bound).port) == ("/x", 8443)


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_does_not_climb_in_the_path(value: str) -> None:
    with pytest.raises(BindingRefused, match="path segment"):
        bind_url("https://h.test/files/{{ a }}/x", {"a": value})


@pytest.mark.parametrize(
    ("url", "with_credential", "reason"),
    [
        ("{{ a }}", False, "Only host"),
        ("{{ a }}://h.test/", False, "Only host"),
        ("https://{{ a }}@h.test/", False, "Only host"),
        ("https://h.test/#{{ a }}", False, "Only host"),
        ("https://{{ a }}/", True, "job itself names"),
        ("https://h.test:{{ a }}/", True, "job itself names"),
        ("https://h.test/{{ nobody }}", False, "no parameter"),
    ],
)
def test_a_placeholder_that_would_choose_more_than_its_place_is_refused_when_saved(
    *, url: str, with_credential: bool, reason: str
) -> None:
    [refusal] = check_url(url, {"a"}, with_credential=with_credential)

    assert reason in refusal.reason
    assert check_url("https://h.test/{{ a }}?{{ a }}", {"a"}, with_credential=True) == ()


@given(TEXTS)
def test_a_value_never_ends_a_header(value: str) -> None:
    try:
        bound = bind_header("Bearer {{ a }}", {"a": value})
    except BindingRefused:
        assert any(ord(character) < 32 or ord(character) == 127 for character in value)
        return
    assert not {"\r", "\n", "\0"} & set(bound)
    assert bound == f"Bearer {value}".strip(" \t")


def test_a_header_written_over_two_lines_is_refused_when_saved() -> None:
    assert check_header("a\r\nX: y", set())
    assert check_header("{{ nobody }}", {"a"})


@given(
    text=TEXTS,
    number=st.integers(-(2**63), 2**63 - 1),
    flag=st.booleans(),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_value_in_json_is_that_json_value(*, text: str, number: int, flag: bool, ratio: float) -> None:
    values: dict[str, ParameterValue] = {"t": text, "n": number, "f": flag, "r": ratio}
    body = {"a": "{{ t }}", "b": ["{{ n }}", "n={{ n }}"], "c": {"d": "{{ f }}"}, "e": "{{ r }}", "g": None}

    assert bind_json(body, values) == {
        "a": text,
        "b": [number, f"n={number}"],
        "c": {"d": flag},
        "e": ratio,
        "g": None,
    }


@given(TEXTS)
def test_a_value_in_a_raw_body_is_encoded_as_the_content_type_needs(text: str) -> None:
    values: dict[str, ParameterValue] = {"t": text, "n": 3}
    as_json = bind_raw('{"a": "<{{ t }}>", "b": {{ t }}, "c": {{ n }}}', "application/json", values)
    as_form = bind_raw("a={{ t }}&b=1", "application/x-www-form-urlencoded; charset=utf-8", values)

    assert json.loads(as_json) == {"a": f"<{text}>", "b": text, "c": 3}
    assert parse_qsl(as_form, keep_blank_values=True) == [("a", text), ("b", "1")]
    assert bind_raw("say {{ t }}", None, values) == f"say {text}"


@given(XML_TEXTS)
def test_a_value_in_xml_is_text(text: str) -> None:
    root = ET.fromstring(bind_raw('<a b="{{ t }}">{{ t }}</a>', "application/soap+xml", {"t": text}))

    assert ((root.text or ""), root.attrib["b"], list(root)) == (text, text, [])


def test_a_text_that_looks_like_json_needs_a_content_type_to_take_values() -> None:
    assert check_raw('{"a": "{{ t }}"}', None, {"t"})
    assert check_raw('{"a": 1}', None, {"t"}) == ()
    assert check_raw('{"a": "{{ t }}"}', "application/json", {"t"}) == ()


def test_every_refusal_in_a_json_body_has_its_path() -> None:
    found = check_json({"a": [{"b": "{{ x }}"}], "{{ t }}": 1}, {"t"}, "body")

    assert [path for path, _ in found] == ["body.a.0.b", "body"]
