"""What an attempt's end makes of its task: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.causes import CAUSES, Cause, Retry, filled
from contracts.errors import SealBroken
from contracts.jobs.steps import StepSpec
from contracts.runs.states import TaskState
from workers.executor.steps.base import StepFault, StepOutcome

LOST_ATTEMPTS = 3
"""Attempts a repeatable step gets in all when its workers keep dying, even without a retry policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an attempt ended."""

    state: TaskState
    exit_code: int | None = None
    cause: Cause | None = None
    words: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] | None = None


def error_of(ended: Ended) -> dict[str, Any] | None:
    """`{code, message, hint}` as it is stored and shown, or None for success."""
    if ended.cause is None:
        return None
    return {
        "code": ended.cause.code,
        "message": _storable(filled(ended.cause.message, ended.words)),
        "hint": _storable(filled(ended.cause.hint, ended.words)),
    }


def _storable(text: str) -> str:
    """What a target put into a message may hold anything; the database takes no NUL and no lone surrogate."""
    return text.replace("\0", "\u2400").encode("utf-8", "replace").decode()[:2_000]


def from_outcome(outcome: StepOutcome) -> Ended:
    """What a plug-in told us."""
    cause = outcome.cause
    if cause is None and outcome.outcome != "succeeded":
        cause = CAUSES["exit_code"] if outcome.exit_code is not None else CAUSES["connection_lost"]
    return Ended(
        state=TaskState(outcome.outcome),
        exit_code=outcome.exit_code,
        cause=cause,
        words=dict(outcome.words) or {"detail": outcome.exit_code},
        outputs=outcome.outputs,
        facts=outcome.facts,
    )


def from_fault(spec: StepSpec, fault: StepFault) -> Ended:
    """A plug-in that could not do its step: unknown where it may have acted and must not act twice."""
    unclear = fault.acted and spec.delivery == "at_most_once"
    return Ended(
        state=TaskState.UNKNOWN if unclear else TaskState.FAILED, cause=fault.cause, words=fault.words
    )


def from_loss(spec: StepSpec, detail: str, *, acted: bool = True) -> Ended:
    """The command of a lost worker could not be found again, or never had the chance to begin."""
    unclear = acted and spec.delivery == "at_most_once"
    return Ended(
        state=TaskState.UNKNOWN if unclear else TaskState.FAILED,
        cause=CAUSES["worker_lost"],
        words={"detail": detail},
    )


def from_stop(
    code: str, *, verified: bool, outcome: StepOutcome | None, words: Mapping[str, object]
) -> Ended:
    """A step that was told to stop because of `code` (cancelled, timed_out, …).

    A success that was faster stays one. A stop that the target did not confirm leaves us not knowing.
    """
    if outcome is not None and outcome.outcome == "succeeded":
        return from_outcome(outcome)
    if not verified:
        return Ended(state=TaskState.UNKNOWN, cause=CAUSES["not_verified"], words={"detail": code, **words})
    states = {
        "cancelled": TaskState.CANCELLED,
        "timed_out": TaskState.TIMED_OUT,
        "idle_timed_out": TaskState.TIMED_OUT,
    }
    return Ended(
        state=states.get(code, TaskState.FAILED),
        exit_code=outcome.exit_code if outcome else None,
        cause=CAUSES[code],
        words=words,
    )


def from_unready(spec: StepSpec, error: Exception) -> Ended:
    """A step that cannot even be got ready with what is stored here."""
    if isinstance(error, StepFault):
        return from_fault(spec, error)
    code = "credential_unreadable" if isinstance(error, SealBroken) else "step_invalid"
    return Ended(state=TaskState.FAILED, cause=CAUSES[code], words={"detail": str(error)[:300]})


def from_bug(error: Exception, *, acted: bool) -> Ended:
    """Our own mistake: where the target may have acted, nobody knows how that ended."""
    return Ended(
        state=TaskState.UNKNOWN if acted else TaskState.FAILED,
        cause=CAUSES["internal"],
        words={"detail": type(error).__name__},
    )


def task_state(spec: StepSpec, attempt: int, ended: Ended) -> TaskState:
    """The task's next state: back to `pending` where the job's policy leaves room for another attempt."""
    if ended.state not in (TaskState.FAILED, TaskState.TIMED_OUT) or ended.cause is None:
        return ended.state
    if ended.cause.retry is Retry.NEVER:
        return ended.state
    lost = ended.cause.code == "worker_lost"
    attempts = max(spec.retry.attempts, LOST_ATTEMPTS) if lost else spec.retry.attempts
    return TaskState.PENDING if attempt < attempts else ended.state
