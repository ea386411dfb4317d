"""What a job asks for, and what a run may give it."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.jobs.parameters import Parameter, ParameterValue, refusal, resolve

ANY_VALUE = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers())
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "date", "target", "file", "secret"])
LEFT_EMPTY = ("string", "date", "target", "file")
"""Types whose parameters may be left out, and then are the empty text."""


@pytest.mark.parametrize(
    ("spec", "value", "reason"),
    [
        ({"type": "string"}, 5, "must be of type string"),
        ({"type": "integer"}, True, "must be of type integer"),
        ({"type": "number"}, False, "must be of type number"),
        ({"type": "boolean"}, 1, "must be of type boolean"),
        ({"type": "integer"}, 1.5, "must be of type integer"),
        ({"type": "number"}, float("nan"), "must be a finite number"),
        ({"type": "integer"}, 2**63, "64 bits"),
        ({"type": "string"}, "a\0b", "NUL"),
        ({"type": "string"}, "\ud800", "valid Unicode"),
        ({"type": "string"}, "é" * 32_769, "at most 64 KiB"),
        ({"type": "string", "pattern": "[a-z]+"}, "abc1", "must match [a-z]+"),
        ({"type": "string", "pattern": "a|b"}, "ab", "must match a|b"),
        ({"type": "string", "pattern": "abc"}, "abc\n", "must match abc"),
        ({"type": "integer", "minimum": 2}, 1, "at least 2"),
        ({"type": "number", "maximum": 2.5}, 2.6, "at most 2.5"),
        ({"type": "string", "choices": ["a", "b"]}, "c", "one of a, b"),
        ({"type": "date"}, "31.03.2026", "must be a date"),
        ({"type": "date"}, "2026-02-30", "must be a date"),
        ({"type": "date"}, "20260331", "must be a date"),
        ({"type": "date"}, "2026-03-31\n", "must be a date"),
        ({"type": "target"}, "", "must be the name of a target"),
        ({"type": "target"}, "x" * 254, "must be the name of a target"),
        ({"type": "file"}, "notes.txt", "must be the id of a stored file"),
        ({"type": "file"}, "{6b1f0f0e-8f0b-4c53-9a43-0d3c5c1f2a11}", "must be the id of a stored file"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(
    spec: dict[str, Any], value: object, reason: str
) -> None:
    assert reason in (refusal(Parameter(**spec), value) or "accepted")


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"type": "string", "pattern": "a|b"}, "b"),
        ({"type": "number"}, 3),
        ({"type": "integer", "minimum": 2, "maximum": 2}, 2),
        ({"type": "string"}, "x" * 65_536),
        ({"type": "secret"}, "é 😀"),
        ({"type": "date"}, "2028-02-29"),
        ({"type": "date", "choices": ["2026-03-31"]}, "2026-03-31"),
        ({"type": "target"}, "web-1"),
        ({"type": "file"}, "6B1F0F0E-8f0b-4c53-9a43-0d3c5c1f2a11"),
    ],
)
def test_a_value_that_fits_is_accepted(spec: dict[str, Any], value: object) -> None:
    assert refusal(Parameter(**spec), value) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "secret", "default": "x"},
        {"pattern": "("},
        {"pattern": "a)|(b"},
        {"pattern": "a{99999999999}"},
        {"pattern": r"(a)\1"},
        {"type": "integer", "default": "x"},
        {"type": "integer", "choices": ["x"]},
        {"choices": ["a\0b"]},
        {"type": "integer", "default": 2**70},
        {"type": "number", "minimum": float("nan")},
    ],
)
def test_a_declaration_that_no_run_could_use_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Parameter(**spec)


def test_no_pattern_takes_longer_than_the_text_is_long() -> None:
    parameter = Parameter(pattern="(a+)+b")
    started = time.perf_counter()

    assert refusal(parameter, "a" * 20_000)

    assert time.perf_counter() - started < 60  # a backtracking matcher would not come back at all


@given(
    declared=st.dictionaries(
        st.sampled_from("abc"), st.builds(Parameter, type=TYPES, required=st.booleans())
    ),
    given_values=st.dictionaries(st.sampled_from("abcd"), ANY_VALUE),
)
def test_a_run_gets_exactly_what_its_job_declares_or_is_told_why_not(
    declared: dict[str, Parameter], given_values: dict[str, Any]
) -> None:
    values, problems = resolve(declared, given_values)

    named = {problem.field.removeprefix("parameters.") for problem in problems}
    assert named | set(values) == set(declared) | set(given_values)
    assert not named & set(values)
    for name, value in values.items():
        left_empty = value == "" and not declared[name].required and declared[name].type in LEFT_EMPTY
        assert left_empty or refusal(declared[name], value) is None


def test_defaults_are_overlaid_and_an_optional_text_is_empty() -> None:
    declared = {
        "svc": Parameter(default="nginx"),
        "note": Parameter(),
        "count": Parameter(type="integer", default=3),
    }
    expected: dict[str, ParameterValue] = {"svc": "sshd", "note": "", "count": 3}

    assert resolve(declared, {"svc": "sshd"}) == (expected, ())
