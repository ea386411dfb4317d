"""Texts on the command line become values of the types that a job declares."""

import pytest

from cli import exits
from cli.client.problems import CliError
from cli.client.runs import typed_parameters
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


def test_every_wrong_parameter_is_named_at_once() -> None:
    with pytest.raises(CliError) as refused:
        typed_parameters(DECLARED, ["count=many", "force=perhaps", "colour=red", "svc"])
    assert refused.value.exit_code == exits.USAGE
    assert [hint.partition(":")[0] for hint in refused.value.hints] == ["count", "force", "colour", "'svc'"]


def test_every_end_of_a_run_has_an_exit_code_of_its_own() -> None:
    codes = {status.value: exits.code_of(status.value) for status in RUN_TERMINAL}
    assert codes == {"succeeded": 0, "failed": 1, "partial": 3, "cancelled": 4, "unknown": 5}
