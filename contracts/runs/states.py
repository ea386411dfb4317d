"""The life of a run and of a task, as data. One door, `advance`, changes a state."""

from enum import StrEnum
from typing import TypeVar

from contracts.errors import IllegalTransition


class RunStatus(StrEnum):
    REQUESTED = "requested"
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class RunTrigger(StrEnum):
    """What made a run begin. `manual`: a person at the web client or the command line."""

    MANUAL = "manual"
    API = "api"
    RERUN = "rerun"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"


class TaskState(StrEnum):
    PENDING = "pending"
    """Not released yet, or waiting for the orchestrator's word after a failed attempt."""
    READY = "ready"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


_RUN_ENDS = {
    RunStatus.SUCCEEDED,
    RunStatus.PARTIAL,
    RunStatus.FAILED,
    RunStatus.CANCELLED,
    RunStatus.UNKNOWN,
}
_TASK_ENDS = {
    TaskState.SUCCEEDED,
    TaskState.FAILED,
    TaskState.TIMED_OUT,
    TaskState.CANCELLED,
    TaskState.SKIPPED,
    TaskState.UNKNOWN,
}

RUN_TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.REQUESTED: frozenset(
        {RunStatus.WAITING, RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED}
    ),
    RunStatus.WAITING: frozenset({RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset({RunStatus.PAUSED, RunStatus.CANCELLING} | _RUN_ENDS),
    RunStatus.PAUSED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLING} | _RUN_ENDS),
    RunStatus.CANCELLING: frozenset(_RUN_ENDS),
    **{end: frozenset[RunStatus]() for end in _RUN_ENDS},
}

TASK_TRANSITIONS: dict[TaskState, frozenset[TaskState]] = {
    TaskState.PENDING: frozenset(
        {TaskState.READY, TaskState.CANCELLED, TaskState.SKIPPED, TaskState.FAILED, TaskState.TIMED_OUT}
    ),
    TaskState.READY: frozenset({TaskState.RUNNING, TaskState.CANCELLED, TaskState.SKIPPED, TaskState.FAILED}),
    TaskState.RUNNING: frozenset({TaskState.PENDING, TaskState.READY} | (_TASK_ENDS - {TaskState.SKIPPED})),
    **{end: frozenset[TaskState]() for end in _TASK_ENDS},
}

RUN_TERMINAL = frozenset(_RUN_ENDS)
TASK_TERMINAL = frozenset(_TASK_ENDS)

State = TypeVar("State", RunStatus, TaskState)


def advance(source: State, target: State) -> State:
    """`target`, if a run or task may go there from `source`; raises `IllegalTransition` otherwise."""
    allowed: frozenset[State] = (
        RUN_TRANSITIONS[source] if isinstance(source, RunStatus) else TASK_TRANSITIONS[source]
    )
    if target not in allowed:
        raise IllegalTransition(source, target)
    return target


def sources_of(target: State) -> tuple[State, ...]:
    """The states from which `target` can be reached: the guard of a compare-and-set."""
    table: dict[State, frozenset[State]] = (
        RUN_TRANSITIONS if isinstance(target, RunStatus) else TASK_TRANSITIONS
    )
    return tuple(source for source, targets in table.items() if target in targets)
