"""What a value can reach in a rendered script: nothing but its own literal."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import limits
from contracts.binding import (
    BindingRefused,
    ParameterValue,
    check_names,
    check_sh,
    placeholders,
    render_cmd,
    render_powershell,
    render_sh,
)
from tests.unit.binding.test_documented_contexts import ALLOWED, code

SAMPLE = "Restart-Service {{ svc }}; (Get-Service {{ svc }}).Status"
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
VALUES = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
LITERAL = re.compile(r"FromBase64String\('([A-Za-z0-9+/=]*)'\)")


def scripts(shell: str) -> st.SearchStrategy[str]:
    return st.sampled_from([code(row[1]) for row in ALLOWED if row[0] == shell])


def test_the_sample_job_is_accepted_as_it_stands() -> None:
    rendered = render_powershell(SAMPLE, {"svc": "Spooler"})

    assert rendered.endswith("; Restart-Service ${ops_svc}; (Get-Service ${ops_svc}).Status")
    assert base64.b64decode(LITERAL.findall(rendered)[0]) == b"Spooler"


@given(script=scripts("PowerShell"), one=TEXT, other=TEXT)
def test_powershell_text_depends_on_the_script_alone(script: str, one: str, other: str) -> None:
    first, second = (render_powershell(script, {"name": value}) for value in (one, other))

    assert LITERAL.sub("", first) == LITERAL.sub("", second)
    assert [base64.b64decode(found) for found in LITERAL.findall(first)] == [one.encode()]


@given(script=scripts("sh"), one=TEXT, other=TEXT)
def test_sh_text_depends_on_the_script_alone_and_the_value_stands_in_single_quotes(
    script: str, one: str, other: str
) -> None:
    def body(value: str) -> str:
        rendered = render_sh(script, {"name": value})
        if not placeholders(script):
            return rendered
        quoted = "OPS_name='" + value.replace("'", "'\\''") + "'\nexport OPS_name\n"
        assert rendered.startswith(quoted)
        return rendered.removeprefix(quoted)

    assert body(one) == body(other)


@given(script=scripts("cmd"), one=st.from_regex(r"[ -~\t]{0,50}", fullmatch=True), other=st.integers())
def test_cmd_text_depends_on_the_script_alone(script: str, one: str, other: int) -> None:
    first, second = render_cmd(script, {"name": one}), render_cmd(script, {"name": other})

    assert first.script == second.script
    assert first.environment == {"OPS_name": one}
    assert first.delayed_expansion


@pytest.mark.parametrize(
    ("value", "text", "typed"),
    [
        ("007", "007", "[string]"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "[string]"),
        (-7, "-7", "[long]::Parse"),
        (1.5, "1.5", "[double]::Parse"),
        (1e-07, "1e-07", "[double]::Parse"),
        (True, "true", "[bool]"),
        (False, "false", "[bool]"),
        ("", "", "[string]"),
    ],
)
def test_values_keep_their_type_and_have_one_text_form(value: ParameterValue, text: str, typed: str) -> None:
    rendered = render_powershell("echo {{ a }}", {"a": value})

    assert base64.b64decode(LITERAL.findall(rendered)[0]) == text.encode()
    assert rendered.startswith(f"${{ops_a}} = {typed}")
    assert render_cmd("echo {{ a }}", {"a": value}).environment == {"OPS_a": text}
    assert render_sh("echo {{ a }}", {"a": value}).startswith(f"OPS_a='{text}'\n")


@given(value=VALUES)
def test_every_value_that_travels_is_set_once_before_the_script(value: ParameterValue) -> None:
    script = 'Write-Output {{ a }} "{{ a }}"'

    assert render_powershell(script, {"a": value, "unused": 1}).count("FromBase64String") == 1
    assert "unused" not in render_sh(script.replace("Write-Output", "echo"), {"a": value, "unused": 1})


def test_a_script_without_placeholders_stays_as_it_is() -> None:
    script = "echo '!' \"unclosed {{.Name}} {{ $x }}"

    assert render_sh(script, {"a": 1}) == script
    assert render_powershell(script, {"a": 1}) == script
    assert render_cmd(script, {"a": 1}).script == script
    assert not render_cmd(script, {"a": 1}).delayed_expansion


def test_a_secret_is_not_exported() -> None:
    rendered = render_sh("echo {{ a }} {{ b }}", {"a": "x", "b": "y"}, secret=frozenset({"a"}))

    assert rendered == ("unset OPS_a\nOPS_a='x'\nOPS_b='y'\nexport OPS_b\necho \"${OPS_a}\" \"${OPS_b}\"")


def test_a_value_is_never_rendered_again() -> None:
    assert "OPS_b" not in render_sh("echo {{ a }}", {"a": "{{ b }}", "b": "x"})


LONG = "x" * (limits.PARAMETER_BYTES + 1)


@pytest.mark.parametrize(
    ("shell", "value"),
    [
        *(
            (shell, value)
            for shell in ("sh", "powershell", "cmd")
            for value in ("a\0b", "\ud800", float("nan"))
        ),
        ("sh", LONG),
        ("cmd", LONG),
        ("cmd", "x" * 8001),
        ("cmd", "a\nb"),
        ("cmd", "a\r"),
        ("cmd", "\x1b"),
        ("powershell", 2**63),
    ],
)
def test_a_value_that_cannot_travel_is_refused_at_its_first_placeholder(
    shell: str, value: ParameterValue
) -> None:
    render = {"sh": render_sh, "powershell": render_powershell, "cmd": render_cmd}[shell]

    with pytest.raises(BindingRefused) as refused:
        render("echo x\necho y {{ a }} {{ a }}", {"a": value})

    [refusal] = refused.value.refusals
    assert (refusal.name, refusal.line, refusal.column) == ("a", 2, 8)
    assert refusal.suggestion


def test_the_longest_value_travels_and_a_secret_may_be_longer() -> None:
    assert LONG[1:] in render_sh("echo {{ a }}", {"a": LONG[1:]})
    assert LONG in render_sh("echo {{ a }}", {"a": LONG}, secret=frozenset({"a"}))


def test_rendering_refuses_whatever_the_check_refuses() -> None:
    with pytest.raises(BindingRefused) as refused:
        render_sh("echo '{{ a }}'\n  eval {{ b }}\necho {{ c }}", {"a": "x", "b": "y"})

    assert [(found.name, found.line, found.column) for found in refused.value.refusals] == [
        ("a", 1, 7),
        ("b", 2, 8),
        ("c", 3, 6),
    ]
    assert "line 2, column 8" in str(refused.value)


@pytest.mark.parametrize(
    ("script", "name", "column"),
    [
        ("echo {{ a-b }}", "a-b", 6),
        ("echo {{ 1a }}", "1a", 6),
        ("echo {{ }}", "", 6),
        ("echo {{ a", "a", 6),
        ("echo {{ größe }}", "größe", 6),
        ("echo {{ a | raw }}", "a", 6),
        ("echo {{ a|upper }}", "a", 6),
        ("echo {{{ a }}", "a", 7),
        ("echo {{ " + "n" * 65 + " }}", "n" * 64, 6),
    ],
)
def test_what_only_looks_like_a_placeholder_is_refused_where_it_stands(
    script: str, name: str, column: int
) -> None:
    [refusal] = check_sh(script, {"a"})

    assert (refusal.name, refusal.line, refusal.column) == (name, 1, column)


def test_places_count_lines_of_every_kind() -> None:
    marks = placeholders("a\r\n{{ x }}\n  {{y}} {{\tz }}\r{{ w }}")

    assert [(mark.name, mark.line, mark.column) for mark in marks] == [
        ("x", 2, 1),
        ("y", 3, 3),
        ("z", 3, 9),
        ("w", 4, 1),
    ]


def test_a_name_in_other_case_is_undefined_and_the_right_one_is_offered() -> None:
    [refusal] = check_sh("echo {{ Host }}", {"host"})

    assert "{{ host }}" in refusal.suggestion


def test_names_are_identifiers_that_differ_in_more_than_case() -> None:
    assert check_names(["host", "port_2", "_x", "a" * 64]) == ()
    assert len(check_names(["2x", "a b", "", "x" * 65, "é"])) == 5
    assert check_names(["Host", "port", "host"]) == (
        "Host and host differ only in case, which Windows does not tell apart: rename one.",
    )
