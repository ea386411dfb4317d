"""Texts on the command line become values of the types that a job declares."""

from pathlib import Path

import pytest

from cli import exits
from cli.client.parameters import described, typed_parameters
from cli.client.problems import CliError
from contracts.runs.states import RUN_TERMINAL

DECLARED = {
    "parameters": {
        "svc": "Spooler",
        "count": 3,
        "ratio": 0.5,
        "force": False,
        "typed": {"type": "integer", "minimum": 1},
        "password": {"type": "secret"},
    }
}


def test_values_have_the_declared_types() -> None:
    given = ["svc=a=b", "count=4", "ratio=1", "force=YES", "typed=7", "password= x "]
    assert typed_parameters(DECLARED, given) == {
        "svc": "a=b",
        "count": 4,
        "ratio": 1.0,
        "force": True,
        "typed": 7,
        "password": " x ",
    }


def test_a_file_of_this_machine_is_kept_apart_for_storing_and_an_id_stays_one(tmp_path: Path) -> None:
    declared = {"parameters": {"notes": {"type": "file"}, "on": {"type": "date"}}}
    (tmp_path / "notes.txt").write_bytes(b"\xff not text")

    values = typed_parameters(declared, [f"notes=@{tmp_path}/notes.txt", "on=2026-03-31"])

    assert values == {"notes": tmp_path / "notes.txt", "on": "2026-03-31"}
    assert typed_parameters(declared, ["notes=0190-id"]) == {"notes": "0190-id"}
    with pytest.raises(CliError) as refused:
        typed_parameters(declared, [f"notes=@{tmp_path}/gone"])
    assert "is no file" in refused.value.hints[0]


def test_every_wrong_parameter_is_named_at_once() -> None:
    with pytest.raises(CliError) as refused:
        typed_parameters(DECLARED, ["count=many", "force=perhaps", "colour=red", "svc"])
    assert refused.value.exit_code == exits.USAGE
    assert [hint.partition(":")[0] for hint in refused.value.hints] == ["count", "force", "colour", "'svc'"]


def test_every_end_of_a_run_has_an_exit_code_of_its_own() -> None:
    codes = {status.value: exits.code_of(status.value) for status in RUN_TERMINAL}
    assert codes == {"succeeded": 0, "failed": 1, "partial": 3, "cancelled": 4, "unknown": 5}


MANY = {
    "parameters": {"services": {"type": "multi", "choices": ["web", "db"]}, "who": {"type": "credential"}}
}


def test_a_parameter_given_again_and_again_is_a_list_where_the_job_wants_one() -> None:
    assert typed_parameters(MANY, ["services=web", "services=db", "who=deploy"]) == {
        "services": ["web", "db"],
        "who": "deploy",
    }
    assert typed_parameters(MANY, ["services=web"]) == {"services": ["web"]}
    assert typed_parameters(MANY, ["services="]) == {"services": []}


def test_a_parameter_that_is_no_list_is_given_once() -> None:
    with pytest.raises(CliError) as refused:
        typed_parameters(MANY, ["who=a", "who=b"])

    assert refused.value.hints == ("who: is given more than once, and is no list",)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("Spooler", ("p", "string", "Spooler", "", "")),
        (False, ("p", "boolean", "false", "", "")),
        (
            {
                "type": "multi",
                "choices": ["a", "b"],
                "default": ["a"],
                "required": True,
                "description": "Which",
            },
            ("p", "multi, required", "a", "a, b", "Which"),
        ),
        (
            {"depends_on": "site", "choices_for": {"berlin": ["b1", "b2"], "paris": ["p1"]}},
            ("p", "string", "", "by site: berlin: b1, b2; paris: p1", ""),
        ),
    ],
)
def test_a_declared_parameter_is_told_in_words(spec: object, words: tuple[str, ...]) -> None:
    assert described("p", spec) == words
