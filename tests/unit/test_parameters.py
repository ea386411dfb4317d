"""What a job asks for, and what a run may give it."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.errors import Invalid
from contracts.jobs.definition import parse_definition
from contracts.jobs.parameters import Parameter, ParameterValue, refusal, resolve

ANY_VALUE = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers())
)
TYPES = st.sampled_from(
    ["string", "integer", "number", "boolean", "date", "target", "file", "secret", "credential"]
)
LEFT_EMPTY = ("string", "date", "target", "file", "credential")
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
        ({"type": "credential"}, "", "must be the name of a credential"),
        ({"type": "credential"}, "x" * 201, "must be the name of a credential"),
        ({"type": "credential", "choices": ["a", "b"]}, "c", "must be one of a, b"),
        ({"type": "multi", "choices": ["a", "b"]}, "a", "must be a list of choices"),
        ({"type": "multi", "choices": ["a", "b"]}, ["a", "c"], "c is not a choice; it must be one of a, b"),
        ({"type": "multi", "choices": ["a", "b"]}, ["a", "a"], "must not name a choice twice"),
        ({"type": "multi", "choices": ["a", "b"]}, ["a", 1], "1 must be text: write it in quotes"),
        ({"type": "multi", "choices": ["a", "b"]}, [""], "a choice must not be empty"),
        ({"type": "multi", "choices": ["a", "b"]}, ["a\nb"], "no line ends"),
        ({"type": "multi", "choices": ["a", "b"], "min_items": 1}, [], "needs at least one choice"),
        ({"type": "multi", "choices": ["a", "b"], "max_items": 1}, ["a", "b"], "may have at most one choice"),
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
        ({"type": "credential"}, "svc-backup"),
        ({"type": "multi", "choices": ["a", "b", "it's $(x)"]}, ["it's $(x)", "a"]),
        ({"type": "multi", "choices": ["a"]}, []),
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
        {"type": "multi"},
        {"type": "multi", "choices": []},
        {"type": "multi", "choices": ["a", 80]},
        {"type": "multi", "choices": ["two\nlines"]},
        {"type": "multi", "choices": ["a"], "default": "a"},
        {"type": "multi", "choices": ["a"], "default": ["b"]},
        {"type": "multi", "choices": ["a"], "pattern": "a"},
        {"type": "multi", "choices": ["a", "b"], "min_items": 2, "max_items": 1},
        {"type": "multi", "choices": ["a", "b"], "min_items": 3},
        {"type": "string", "choices": ["a"], "min_items": 1},
        {"type": "string", "default": ["a"]},
        {"depends_on": "site"},
        {"choices_for": {"berlin": ["b1"]}},
        {"choices": ["b1"], "choices_for": {"berlin": ["b1"]}, "depends_on": "site"},
        {"type": "date", "choices_for": {"berlin": ["2026-03-31"]}, "depends_on": "site"},
        {"choices_for": {"berlin": ["b1"]}, "depends_on": "site", "default": "p1"},
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


SITES = {
    "site": Parameter(required=True, choices=("berlin", "paris", "oslo")),
    "server": Parameter(
        depends_on="site", choices_for={"berlin": ("b1", "b2"), "paris": ("p1",)}, default="b1"
    ),
    "services": Parameter(
        type="multi", depends_on="server", choices_for={"b1": ("web", "db"), "p1": ("web",)}, min_items=1
    ),
}


@pytest.mark.parametrize(
    ("given_values", "problems"),
    [
        ({"site": "berlin", "services": ["web", "db"]}, {}),
        ({"site": "paris", "server": "p1", "services": ["web"]}, {}),
        (
            {"site": "paris", "server": "b1", "services": ["web"]},
            {"server": "must be one of p1 while site is paris"},
        ),
        (
            {"site": "paris", "server": "p1", "services": ["db"]},
            {"services": "db is not a choice; it must be one of web while server is p1"},
        ),
        ({"site": "oslo", "server": "b1"}, {"server": "has no choices while site is oslo"}),
        ({"site": "berlin"}, {"services": "needs at least one choice"}),
        (
            {"site": "berlin", "server": "b2", "services": ["web"]},
            {"services": "has no choices while server is b2"},
        ),
        ({"server": "b1", "services": ["web"]}, {"site": "is required"}),
    ],
)
def test_choices_follow_the_value_of_another_parameter(
    given_values: dict[str, Any], problems: dict[str, str]
) -> None:
    _, found = resolve(SITES, given_values)

    assert {problem.field.removeprefix("parameters."): problem.reason for problem in found} == problems


def test_a_default_that_is_no_choice_now_is_no_value() -> None:
    declared = {name: SITES[name] for name in ("server", "site")}

    values, problems = resolve(declared, {"site": "paris"})

    assert (values, problems) == ({"server": "", "site": "paris"}, ())


@pytest.mark.parametrize(
    ("declared", "field", "reason"),
    [
        (
            {"a": {"depends_on": "b", "choices_for": {"x": ["y"]}}},
            "a",
            "which is not a parameter of this job",
        ),
        (
            {"a": {"depends_on": "b", "choices_for": {"x": ["y"]}}, "b": {"type": "secret"}},
            "a",
            "which is of type secret",
        ),
        (
            {
                "a": {"depends_on": "b", "choices_for": {"x": ["y"]}},
                "b": {"depends_on": "a", "choices_for": {"y": ["x"]}},
            },
            "a",
            "depends on itself",
        ),
        (
            {"a": {"depends_on": "b", "choices_for": {"oslo": ["y"]}}, "b": {"choices": ["berlin"]}},
            "a",
            "choices_for names oslo, which b can never be",
        ),
    ],
)
def test_a_parameter_that_depends_on_what_it_cannot_is_refused_by_its_field(
    declared: dict[str, Any], field: str, reason: str
) -> None:
    document = {"name": "x", "parameters": declared, "steps": [{"type": "wait", "seconds": 1}]}

    with pytest.raises(Invalid) as refused:
        parse_definition(document)

    problem = refused.value.problems[0]
    assert problem.field == f"parameters.{field}.depends_on"
    assert reason in problem.reason


@given(
    st.lists(st.sampled_from(["web", "db", "x y", "$(id)"]), max_size=6), st.integers(0, 4), st.integers(0, 4)
)
def test_several_choices_are_taken_as_they_were_given_or_refused(
    chosen: list[str], least: int, most: int
) -> None:
    least, most = sorted((least, most))
    declared = {
        "s": Parameter(type="multi", choices=("web", "db", "x y", "$(id)"), min_items=least, max_items=most)
    }

    values, problems = resolve(declared, {"s": chosen})

    fits = least <= len(chosen) <= most and len(set(chosen)) == len(chosen)
    assert (values, bool(problems)) == (({"s": chosen}, False) if fits else ({}, True))
