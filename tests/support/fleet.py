"""A run in memory: the orchestrator's rules around the pure plan, and an executor that does as it is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from contracts.runs.states import TASK_TERMINAL, RunStatus, TaskState, advance
from workers.orchestrator.plan import (
    Decision,
    Settled,
    StepPlan,
    StepTally,
    Tally,
    plan,
    released,
    verdict,
    without_unstarted,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ModelTask:
    id: UUID
    step_no: int
    state: TaskState = TaskState.PENDING
    attempt: int = 0
    unplanned: bool = False

    def move(self, state: TaskState) -> None:
        self.state = advance(self.state, state)


@dataclass(slots=True)
class ModelRun:
    """Every rule of the orchestrator but its SQL. `sizes` says how many tasks each step has."""

    steps: Sequence[StepPlan]
    sizes: Sequence[int]
    tasks: list[ModelTask] = field(default_factory=list)
    tally: Tally = ()
    cancelled: bool = False
    status: RunStatus | None = None
    released_after_stop: int = 0

    def __post_init__(self) -> None:
        for number, size in enumerate(self.sizes):
            self.tasks += [ModelTask(UUID(int=number << 32 | place), number) for place in range(size)]
        self.tally = tuple(StepTally(pending=size) for size in self.sizes)

    def in_state(self, *states: TaskState) -> list[ModelTask]:
        return [task for task in self.tasks if task.state in states]

    def advance(self) -> Decision:
        """One plan, applied as the orchestrator applies it."""
        fresh = [task for task in self.tasks if task.unplanned]
        for task in fresh:
            task.unplanned = False
        decision = plan(
            self.steps,
            self.tally,
            [Settled(task_id=t.id, step_no=t.step_no, state=t.state, attempt=t.attempt) for t in fresh],
            cancel_requested=self.cancelled,
            now=NOW,
        )
        by_id = {task.id: task for task in self.tasks}
        tally = released(decision.tally, decision.releases)
        for task_id, due in decision.retries:
            assert due >= NOW
            by_id[task_id].move(TaskState.READY)
        for task_id in decision.give_ups:
            by_id[task_id].move(TaskState.FAILED)
        if decision.end_unstarted is not None:
            tally = without_unstarted(tally, self._end_unstarted(decision.end_unstarted))
        for number, count in decision.releases.items():
            waiting = [t for t in self.in_state(TaskState.PENDING) if t.step_no == number]
            assert len(waiting) >= count
            for task in waiting[:count]:
                task.move(TaskState.READY)
        self.tally = tally
        self.status = verdict(self.steps, tally, cancel_requested=self.cancelled)
        return decision

    def _end_unstarted(self, end: TaskState) -> dict[tuple[int, TaskState, TaskState], int]:
        moved: dict[tuple[int, TaskState, TaskState], int] = {}
        for task in self.in_state(TaskState.PENDING, TaskState.READY):
            former = task.state
            task.move(TaskState.FAILED if task.attempt and end is TaskState.SKIPPED else end)
            key = (task.step_no, former, task.state)
            moved[key] = moved.get(key, 0) + 1
        return moved

    def claim(self, task: ModelTask) -> None:
        task.move(TaskState.RUNNING)
        task.attempt += 1

    def settle(self, task: ModelTask, state: TaskState) -> None:
        """The executor's word; a failure goes back to `pending` while the policy leaves another attempt."""
        if state in (TaskState.FAILED, TaskState.TIMED_OUT):
            policy = self.steps[task.step_no].retry
            state = TaskState.PENDING if task.attempt < policy.attempts else state
        task.move(state)
        task.unplanned = True

    def recount(self) -> Tally:
        """The tally counted anew from every task, as it must stand when nothing is unplanned."""
        return tuple(self._recount(number) for number in range(len(self.steps)))

    def _recount(self, number: int) -> StepTally:
        own = [task for task in self.tasks if task.step_no == number]
        count: Callable[[TaskState], int] = lambda state: sum(task.state is state for task in own)  # noqa: E731
        ends = {state.value: count(state) for state in TASK_TERMINAL}
        return StepTally(
            pending=count(TaskState.PENDING),
            open=count(TaskState.READY) + count(TaskState.RUNNING),
            **ends,
        )
