"""What happens next in a run: pure, decided from counts and from what settled since the last time.

A decision names quantities and sets, never all tasks, so that its cost does not depend on the fleet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.jobs.definition import JobDefinition, needs_of
from contracts.jobs.steps import RetryPolicy
from contracts.runs.states import RunStatus, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTally:
    """Tasks of one step by state. `open` is all that was released and has not ended."""

    pending: int = 0
    open: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    cancelled: int = 0
    skipped: int = 0
    unknown: int = 0

    @property
    def ended(self) -> bool:
        return self.pending == 0 and self.open == 0

    @property
    def failures(self) -> int:
        return self.failed + self.timed_out

    def moved(self, source: str, target: str, count: int) -> "StepTally":
        """The tally after `count` tasks went from one state to another."""
        if count == 0:
            return self
        changes: dict[str, Any] = {
            source: getattr(self, source) - count,
            target: getattr(self, target) + count,
        }
        return replace(self, **changes)


Tally = tuple[StepTally, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What the plan needs to know of a step."""

    needs: tuple[int, ...]
    max_parallel: int | None
    stops_on_failure: bool
    retry: RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A task that settled since the last plan. `pending` means: an attempt failed and may be repeated."""

    task_id: UUID
    step_no: int
    state: TaskState
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, in this order: retries and give-ups, cancel or skip, releases."""

    tally: Tally
    """With what settled counted in; releases and the rest are counted when they are applied."""
    retries: tuple[tuple[UUID, datetime], ...] = ()
    give_ups: tuple[UUID, ...] = ()
    """Failed attempts that get no further one: their tasks end as failed."""
    end_unstarted: TaskState | None = None
    """`cancelled` or `skipped`: how everything ends that has not started."""
    releases: dict[int, int] = field(default_factory=dict)
    """Step number to how many more of its tasks may start."""


def step_plans(definition: JobDefinition) -> tuple[StepPlan, ...]:
    """The plan's view of a definition."""
    return tuple(
        StepPlan(
            needs=needs,
            max_parallel=step.max_parallel or definition.max_parallel,
            stops_on_failure=step.on_failure == "stop",
            retry=step.retry,
        )
        for step, needs in zip(definition.steps, needs_of(definition.steps), strict=True)
    )


def plan(
    steps: Sequence[StepPlan],
    tally: Tally,
    fresh: Sequence[Settled],
    *,
    cancel_requested: bool,
    now: datetime,
) -> Decision:
    """The next decision. Calling it again with nothing fresh decides the same or nothing."""
    counted = _count(tally, [settled for settled in fresh if settled.state is not TaskState.PENDING])
    stopped = any(
        step.stops_on_failure and (count.failures or count.unknown)
        for step, count in zip(steps, counted, strict=True)
    )
    waiting = [settled for settled in fresh if settled.state is TaskState.PENDING]
    if cancel_requested or stopped:
        return Decision(
            tally=_give_up(counted, waiting),
            give_ups=tuple(settled.task_id for settled in waiting),
            end_unstarted=TaskState.CANCELLED if cancel_requested else TaskState.SKIPPED,
        )
    return Decision(
        tally=counted,
        retries=tuple((s.task_id, now + _delay(steps[s.step_no], s)) for s in waiting),
        releases=_releases(steps, counted),
    )


def _delay(step: StepPlan, settled: Settled) -> timedelta:
    return timedelta(seconds=step.retry.delay_after(settled.attempt))


def _count(tally: Tally, settled: Sequence[Settled]) -> Tally:
    counts = list(tally)
    for task in settled:
        counts[task.step_no] = counts[task.step_no].moved("open", task.state.value, 1)
    return tuple(counts)


def _give_up(tally: Tally, waiting: Sequence[Settled]) -> Tally:
    counts = list(tally)
    for task in waiting:
        counts[task.step_no] = counts[task.step_no].moved("open", "failed", 1)
    return tuple(counts)


def _releases(steps: Sequence[StepPlan], tally: Tally) -> dict[int, int]:
    releases = {}
    for number, (step, count) in enumerate(zip(steps, tally, strict=True)):
        if count.pending and all(tally[need].ended for need in step.needs):
            room = count.pending if step.max_parallel is None else step.max_parallel - count.open
            if room > 0:
                releases[number] = min(count.pending, room)
    return releases


def released(tally: Tally, releases: dict[int, int]) -> Tally:
    """The tally once the releases were applied."""
    return tuple(count.moved("pending", "open", releases.get(i, 0)) for i, count in enumerate(tally))


def without_unstarted(tally: Tally, ended: Mapping[tuple[int, TaskState, TaskState], int]) -> Tally:
    """The tally after so many tasks per (step, former state, end) were brought to their end unstarted."""
    counts = list(tally)
    for (step_no, former, end), moved in ended.items():
        source = "pending" if former is TaskState.PENDING else "open"
        counts[step_no] = counts[step_no].moved(source, end.value, moved)
    return tuple(counts)


def verdict(steps: Sequence[StepPlan], tally: Tally, *, cancel_requested: bool) -> RunStatus | None:
    """How the run ended, or None while anything of it is not at its end.

    Not knowing outweighs everything; failures of steps that may fail leave a run `partial`.
    """
    if not all(count.ended for count in tally):
        return None
    if any(count.unknown for count in tally):
        return RunStatus.UNKNOWN
    if any(count.cancelled for count in tally):
        return RunStatus.CANCELLED
    failing = [step for step, count in zip(steps, tally, strict=True) if count.failures]
    if not failing:
        return RunStatus.CANCELLED if cancel_requested and _nothing_ran(tally) else RunStatus.SUCCEEDED
    tolerated = not any(step.stops_on_failure for step in failing)
    return RunStatus.PARTIAL if tolerated and any(count.succeeded for count in tally) else RunStatus.FAILED


def _nothing_ran(tally: Tally) -> bool:
    return not any(count.succeeded for count in tally)


def dump_tally(tally: Tally) -> list[dict[str, int]]:
    """The tally as it is stored: zero counts left out."""
    return [
        {name: value for name in StepTally.__slots__ if (value := getattr(count, name))} for count in tally
    ]


def load_tally(stored: Sequence[dict[str, int]]) -> Tally:
    return tuple(StepTally(**counts) for counts in stored)
