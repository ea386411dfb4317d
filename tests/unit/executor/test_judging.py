"""Which end of a command is a failure: exit codes, the error stream, patterns."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.causes import CAUSES
from contracts.jobs.steps import ExecSpec, SshExec, Wait, WinrmExec
from workers.executor.judging import LINE_CHARACTERS, Judge
from workers.executor.steps.base import StepOutcome


def spec(**fields: Any) -> ExecSpec:
    return SshExec.model_validate({"type": "ssh.exec", "command": "x"} | fields)


def windows(**fields: Any) -> ExecSpec:
    return WinrmExec.model_validate({"type": "winrm.exec", "command": "x"} | fields)


def ended(code: int = 0) -> StepOutcome:
    return StepOutcome(outcome="ended", exit_code=code)


def verdict(judge: Judge, code: int = 0, *, stopped: bool = False) -> tuple[str, str | None]:
    outcome = judge.outcome(ended(code), stopped=stopped)
    return outcome.outcome, outcome.cause.code if outcome.cause else None


@pytest.mark.parametrize(
    ("fields", "code", "outcome"),
    [
        ({}, 0, ("succeeded", None)),
        ({}, 3, ("failed", "exit_code")),
        ({"success_codes": [0, 3010]}, 3010, ("succeeded", None)),
        ({"success_codes": [3010]}, 0, ("failed", "exit_code")),
        ({"fail_on": {"exit_code": False}}, 3, ("succeeded", None)),
    ],
)
def test_the_authors_success_codes_decide(
    fields: dict[str, Any], code: int, outcome: tuple[str, str | None]
) -> None:
    assert verdict(Judge(spec(**fields)), code) == outcome


def test_a_plug_in_may_explain_an_exit_code_but_does_not_judge_it() -> None:
    told = StepOutcome(outcome="failed", exit_code=7, cause=CAUSES["memory_quota"])

    assert Judge(spec()).outcome(told).cause is CAUSES["memory_quota"]
    accepted = Judge(spec(success_codes=[7])).outcome(told)
    assert (accepted.outcome, accepted.cause) == ("succeeded", None)


def test_a_command_that_was_stopped_never_succeeds_by_an_ignored_exit_code() -> None:
    judge = Judge(spec(fail_on={"exit_code": False}))

    assert verdict(judge, 143, stopped=True) == ("failed", "exit_code")
    assert verdict(judge, 0, stopped=True) == ("succeeded", None)


def test_an_unknown_end_and_steps_that_run_no_command_are_passed_on() -> None:
    unknown = StepOutcome(outcome="unknown", exit_code=0)
    waited = StepOutcome(outcome="succeeded")

    assert Judge(spec(fail_on={"pattern": "x"})).outcome(unknown) is unknown
    assert Judge(Wait(type="wait", seconds=1)).outcome(waited) is waited


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_pattern_in_a_line_of_either_stream_fails_the_step_and_names_the_line(stream: Any) -> None:
    judge = Judge(spec(fail_on={"pattern": r"ERROR: \d+"}))
    judge.see(stream, "fine\nstill ERROR: 17 here\r\nfine\n")

    outcome = judge.outcome(ended())

    assert (outcome.outcome, outcome.cause) == ("failed", CAUSES["output_pattern"])
    assert outcome.words["detail"] == "still ERROR: 17 here"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^fatal$", "not fatal\nfatal\r\n", True),
        ("^fatal$", "not fatal\nfatally\n", False),
        ("^fatal$", "fatal\r", True),
        (r"a\s+b", "a\nb\n", False),
        ("[^x]b", "x\nb", False),
        ("(?i)ERROR", "an error", True),
        ("^$", "no empty line\n", False),
        ("ü世", "…ü世…", True),
    ],
)
def test_each_line_is_searched_by_itself(pattern: str, text: str, found: bool) -> None:  # noqa: FBT001
    judge = Judge(spec(fail_on={"pattern": pattern}))
    judge.see("stdout", text)

    assert (verdict(judge)[0] == "failed") is found


LINES = st.lists(st.sampled_from(["ok", "x BAD y", "BA", "D", "", "B\r", "AD BAD"]), max_size=6).map(
    "\n".join
)


@given(text=LINES, cuts=st.lists(st.integers(0, 40), max_size=8), taken_over_at=st.integers(0, 8))
def test_however_output_is_cut_and_whoever_saw_it_the_verdict_is_the_same(
    text: str, cuts: list[int], taken_over_at: int
) -> None:
    whole = Judge(spec(fail_on={"pattern": "^x BAD|^AD BAD$"}))
    whole.see("stdout", text)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(places)]

    pieced = Judge(spec(fail_on={"pattern": "^x BAD|^AD BAD$"}))
    at = 0
    for number, piece in enumerate(pieces):
        at += len(piece.encode())
        if number < taken_over_at:
            pieced.see_stored("stdout", piece, at)
        else:
            pieced.see("stdout", piece)

    assert verdict(pieced) == verdict(whole)


def test_a_match_anywhere_in_an_endless_line_is_found_and_no_false_beginning() -> None:
    anywhere, beginning = Judge(spec(fail_on={"pattern": "NEEDLE"})), Judge(spec(fail_on={"pattern": "^B"}))
    text = "A" * (LINE_CHARACTERS - 3) + "NEEDLE" + "B" * LINE_CHARACTERS * 2
    for at in range(0, len(text), 1000):
        anywhere.see("stdout", text[at : at + 1000])
        beginning.see("stdout", text[at : at + 1000])

    assert verdict(anywhere) == ("failed", "output_pattern")
    assert verdict(beginning) == ("succeeded", None)


@pytest.mark.parametrize(
    ("step", "text", "failed"),
    [
        (spec(fail_on={"error_stream": True}), "\n \n", False),
        (spec(fail_on={"error_stream": True}), "WARNING: disk\n", True),
        (windows(fail_on={"error_stream": True}), "WARNING: disk\r\nVERBOSE: x\r\n", False),
        (windows(fail_on={"error_stream": True}), "WARNING: disk\r\nGet-It : no such thing\r\n", True),
        (windows(shell="cmd", fail_on={"error_stream": True}), "WARNING: disk\r\n", True),
        (spec(), "an error\n", False),
    ],
)
def test_the_error_stream_fails_a_step_that_says_so(step: ExecSpec, text: str, failed: bool) -> None:  # noqa: FBT001
    judge = Judge(step)
    judge.see("stderr", text)
    judge.see("stdout", "plain output\n")

    assert verdict(judge) == (("failed", "error_stream") if failed else ("succeeded", None))


@pytest.mark.parametrize(("delivery", "outcome"), [("at_most_once", "unknown"), ("at_least_once", "failed")])
def test_where_output_is_missing_nobody_says_that_nothing_stood_there(delivery: str, outcome: str) -> None:
    judge = Judge(spec(fail_on={"pattern": "BAD"}, delivery=delivery))
    judge.see("stdout", "fine\n")
    judge.gap("stdout")

    assert verdict(judge) == (outcome, "output_unjudged")
    assert verdict(judge, 5) == ("failed", "exit_code")


def test_missing_output_is_no_matter_to_a_step_that_does_not_look_at_it() -> None:
    judge = Judge(spec())
    judge.gap("stdout")

    assert verdict(judge) == ("succeeded", None)


@pytest.mark.parametrize(
    "note", ["\n[output missing here: the connection was lost]\n", "\n[4096 bytes left out here]\n"]
)
def test_our_own_notes_in_stored_output_are_gaps_not_output(note: str) -> None:
    judge = Judge(spec(fail_on={"pattern": "missing|left", "error_stream": True}))
    judge.see_stored("stderr", "", 0)
    judge.see_stored("stderr", note, 0)

    assert verdict(judge) == ("unknown", "output_unjudged")
    spoken = Judge(spec(fail_on={"error_stream": True}))
    spoken.see_stored("stderr", note, len(note))
    assert verdict(spoken) == ("failed", "error_stream")
