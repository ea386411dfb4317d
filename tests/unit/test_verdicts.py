"""What an attempt's end makes of its task."""

from typing import Any

import pytest

from contracts.causes import CAUSES
from contracts.jobs.steps import SshExec
from contracts.runs.states import TaskState
from workers.executor.steps.base import StepFault, StepOutcome
from workers.executor.verdicts import (
    Ended,
    error_of,
    from_fault,
    from_loss,
    from_outcome,
    from_stop,
    task_state,
)


def spec(*, attempts: int = 1, repeatable: bool = False) -> SshExec:
    fields: dict[str, Any] = {"type": "ssh.exec", "command": "id", "retry": {"attempts": attempts}}
    return SshExec(**fields, delivery="at_least_once" if repeatable else "at_most_once")


@pytest.mark.parametrize(
    ("outcome", "state", "code"),
    [
        (StepOutcome(outcome="succeeded", exit_code=0), "succeeded", None),
        (StepOutcome(outcome="failed", exit_code=3), "failed", "exit_code"),
        (StepOutcome(outcome="unknown"), "unknown", "connection_lost"),
        (StepOutcome(outcome="failed", cause=CAUSES["quota"]), "failed", "quota"),
    ],
)
def test_what_the_target_told_us_is_what_is_recorded(
    outcome: StepOutcome, state: str, code: str | None
) -> None:
    ended = from_outcome(outcome)

    assert (ended.state, ended.cause and ended.cause.code) == (state, code)


@pytest.mark.parametrize(
    ("acted", "repeatable", "state"),
    [
        (False, False, "failed"),
        (False, True, "failed"),
        (True, True, "failed"),
        (True, False, "unknown"),
    ],
)
def test_only_what_may_have_acted_and_must_not_act_twice_is_unknown(
    *, acted: bool, repeatable: bool, state: str
) -> None:
    assert from_fault(spec(repeatable=repeatable), StepFault("unreachable", acted=acted)).state == state


@pytest.mark.parametrize(
    ("code", "verified", "outcome", "state"),
    [
        ("cancelled", True, None, "cancelled"),
        ("cancelled", True, "failed", "cancelled"),
        ("cancelled", True, "succeeded", "succeeded"),
        ("cancelled", False, "succeeded", "succeeded"),
        ("cancelled", False, None, "unknown"),
        ("cancelled", False, "failed", "unknown"),
        ("timed_out", True, None, "timed_out"),
        ("timed_out", False, None, "unknown"),
        ("worker_shutdown", True, None, "failed"),
        ("worker_shutdown", False, "unknown", "unknown"),
    ],
)
def test_a_stopped_step_ends_as_what_truly_happened(
    code: str, *, verified: bool, outcome: Any, state: str
) -> None:
    told = StepOutcome(outcome=outcome, exit_code=None) if outcome else None

    assert from_stop(code, verified=verified, outcome=told, words={}).state == state


@pytest.mark.parametrize(
    ("code", "attempts", "attempt", "expected"),
    [
        ("exit_code", 1, 1, "failed"),
        ("exit_code", 3, 2, "pending"),
        ("exit_code", 3, 3, "failed"),
        ("unreachable", 2, 1, "pending"),
        ("auth_rejected", 9, 1, "failed"),
        ("worker_lost", 1, 2, "pending"),
        ("worker_lost", 1, 3, "failed"),
        ("worker_lost", 5, 4, "pending"),
    ],
)
def test_a_failure_is_tried_again_where_that_helps_and_the_policy_leaves_room(
    code: str, attempts: int, attempt: int, expected: str
) -> None:
    ended = Ended(state=TaskState.FAILED, cause=CAUSES[code])

    assert task_state(spec(attempts=attempts), attempt, ended) == expected


@pytest.mark.parametrize("state", ["succeeded", "unknown", "cancelled"])
def test_nothing_but_a_failure_is_ever_tried_again(state: str) -> None:
    ended = Ended(state=TaskState(state), cause=CAUSES["connection_lost"])

    assert task_state(spec(attempts=20), 1, ended) == state


def test_a_lost_command_is_unknown_unless_the_step_may_be_repeated() -> None:
    assert from_loss(spec(), "gone").state is TaskState.UNKNOWN
    assert from_loss(spec(repeatable=True), "gone").state is TaskState.FAILED


def test_an_error_can_be_stored_whatever_a_target_put_into_it() -> None:
    ended = Ended(
        state=TaskState.FAILED,
        cause=CAUSES["unreachable"],
        words={"host": "a\0b", "detail": "\ud800" * 9_000},
    )

    error = error_of(ended)

    assert error is not None
    assert error["message"].startswith("Nothing answers on a\u2400b:? (?")
    assert max(map(len, error.values())) <= 2_000
    assert "\0" not in error["message"].encode().decode()
