"""What happens next in a run: decided from counts and from what is fresh, alike however it is cut up."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.jobs.steps import RetryPolicy
from contracts.runs.states import RunStatus, TaskState
from tests.support.fleet import NOW, ModelRun
from workers.orchestrator.plan import (
    Settled,
    StepPlan,
    StepTally,
    dump_tally,
    load_tally,
    plan,
    verdict,
)

OUTCOMES = (TaskState.SUCCEEDED,) * 4 + (TaskState.FAILED, TaskState.TIMED_OUT, TaskState.UNKNOWN)


def step(*needs: int, max_parallel: int | None = None, stops: bool = True, attempts: int = 1) -> StepPlan:
    retry = RetryPolicy(attempts=attempts, backoff=1)
    return StepPlan(needs=needs, max_parallel=max_parallel, stops_on_failure=stops, retry=retry)


@st.composite
def runs(draw: st.DrawFn) -> ModelRun:
    count = draw(st.integers(1, 4))
    steps = [
        step(
            *sorted(draw(st.sets(st.integers(0, number - 1), max_size=2))) if number else (),
            max_parallel=draw(st.none() | st.integers(1, 3)),
            stops=draw(st.booleans()),
            attempts=draw(st.integers(1, 3)),
        )
        for number in range(count)
    ]
    return ModelRun(steps, [draw(st.integers(1, 6)) for _ in steps])


@settings(max_examples=120)
@given(run=runs(), data=st.data())
def test_a_run_keeps_its_rules_and_reaches_a_verdict_whatever_happens(
    run: ModelRun, data: st.DataObject
) -> None:
    stopped = False
    for _ in range(500):
        decision = run.advance()
        assert run.tally == run.recount()
        _keeps_the_rules(run)
        if stopped or run.cancelled:
            assert not decision.releases
            assert not decision.retries
        stopped = stopped or decision.end_unstarted is not None
        if run.status is not None:
            break
        _act(run, data)
    assert run.status is not None
    assert not run.in_state(TaskState.PENDING, TaskState.READY, TaskState.RUNNING)


def _keeps_the_rules(run: ModelRun) -> None:
    for number, plan_of in enumerate(run.steps):
        count = run.tally[number]
        assert min(getattr(count, name) for name in StepTally.__slots__) >= 0
        if plan_of.max_parallel is not None:
            assert count.open <= plan_of.max_parallel
        begun = count.open or count.succeeded or count.failures or count.unknown
        assert not begun or all(run.tally[need].ended for need in plan_of.needs)


def _act(run: ModelRun, data: st.DataObject) -> None:
    """Claim some, settle some (at least one of either), and perhaps cancel."""
    if not run.cancelled and data.draw(st.integers(0, 15)) == 0:
        run.cancelled = True
    ready, running = run.in_state(TaskState.READY), run.in_state(TaskState.RUNNING)
    for task in ready[: data.draw(st.integers(0 if running else 1, max(1, len(ready))))]:
        run.claim(task)
    running = run.in_state(TaskState.RUNNING)
    for task in running[: data.draw(st.integers(1, max(1, len(running))))]:
        outcomes = (*OUTCOMES, TaskState.CANCELLED) if run.cancelled else OUTCOMES
        run.settle(task, data.draw(st.sampled_from(outcomes)))


@settings(max_examples=100)
@given(
    outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    stops=st.booleans(),
)
def test_any_split_into_batches_ends_like_one_full_count(
    outcomes: Sequence[TaskState], cuts: Sequence[int], *, stops: bool
) -> None:
    whole = ModelRun([step(stops=stops)], [len(outcomes)])
    split = ModelRun([step(stops=stops)], [len(outcomes)])
    for run in (whole, split):
        run.advance()
        for task in run.tasks:
            run.claim(task)
    for task, outcome in zip(whole.tasks, outcomes, strict=True):
        whole.settle(task, outcome)
    whole.advance()
    waiting = list(zip(split.tasks, outcomes, strict=True))
    for cut in [*cuts, len(outcomes)]:
        for task, outcome in waiting[:cut]:
            split.settle(task, outcome)
        waiting = waiting[cut:]
        split.advance()

    assert split.tally == whole.tally == whole.recount()
    assert split.status is whole.status is not None


@given(run=runs())
def test_planning_again_with_nothing_fresh_changes_nothing(run: ModelRun) -> None:
    run.advance()
    before = run.tally

    again = run.advance()

    assert (again.releases, run.tally) == ({}, before)


def test_a_step_waits_for_all_it_needs() -> None:
    run = ModelRun([step(), step(), step(0, 1)], [1, 1, 1])
    run.advance()
    first, second, third = run.tasks
    for task in (first, second):
        run.claim(task)

    run.settle(first, TaskState.SUCCEEDED)
    run.advance()
    assert third.state is TaskState.PENDING
    run.settle(second, TaskState.SUCCEEDED)
    run.advance()

    assert third in run.in_state(TaskState.READY)


def test_a_stop_lets_what_runs_end_and_skips_the_rest() -> None:
    run = ModelRun([step(max_parallel=2), step(0)], [4, 1])
    run.advance()
    for task in run.tasks[:2]:
        run.claim(task)
    run.settle(run.tasks[0], TaskState.FAILED)
    run.advance()
    assert [t.state.value for t in run.tasks] == ["failed", "running", "skipped", "skipped", "skipped"]
    assert run.status is None

    run.settle(run.tasks[1], TaskState.SUCCEEDED)
    run.advance()

    assert run.status is RunStatus.FAILED


def test_a_retry_waits_as_long_as_the_policy_says() -> None:
    policy = StepPlan(
        needs=(), max_parallel=None, stops_on_failure=True, retry=RetryPolicy(attempts=9, backoff=3)
    )
    delays = []
    for attempt in (1, 2, 3, 12):
        fresh = [Settled(task_id=UUID(int=1), step_no=0, state=TaskState.PENDING, attempt=attempt)]
        [(_, due)] = plan([policy], (StepTally(open=1),), fresh, cancel_requested=False, now=NOW).retries
        delays.append(due - NOW)

    assert delays == [timedelta(seconds=s) for s in (3, 6, 12, 3_600)]


@pytest.mark.parametrize(
    ("tallies", "stops", "cancelled", "expected"),
    [
        ([{"succeeded": 2}], True, False, "succeeded"),
        ([{"succeeded": 1, "open": 1}], True, False, None),
        ([{"succeeded": 1, "pending": 1}], True, False, None),
        ([{"succeeded": 1, "failed": 1}], True, False, "failed"),
        ([{"succeeded": 1, "timed_out": 1}], True, False, "failed"),
        ([{"succeeded": 1, "failed": 1}], False, False, "partial"),
        ([{"failed": 2}], False, False, "failed"),
        ([{"failed": 1}, {"succeeded": 1}], False, False, "partial"),
        ([{"succeeded": 5, "unknown": 1}], False, False, "unknown"),
        ([{"failed": 1, "unknown": 1, "cancelled": 1}], True, True, "unknown"),
        ([{"succeeded": 1, "cancelled": 1}], True, True, "cancelled"),
        ([{"failed": 1, "cancelled": 1}], True, True, "cancelled"),
        ([{"succeeded": 2}], True, True, "succeeded"),
        ([{"failed": 1}, {"skipped": 3}], True, False, "failed"),
    ],
)
def test_the_verdict_of_a_run(
    tallies: list[dict[str, int]], *, stops: bool, cancelled: bool, expected: str | None
) -> None:
    steps = [step(stops=stops) for _ in tallies]

    assert verdict(steps, load_tally(tallies), cancel_requested=cancelled) == expected


@given(st.lists(st.builds(StepTally, **{name: st.integers(0, 9) for name in StepTally.__slots__})))
def test_a_tally_is_stored_without_loss(counts: list[StepTally]) -> None:
    assert load_tally(dump_tally(tuple(counts))) == tuple(counts)


def _cost(fleet: int, fresh: int) -> float:
    tally = (StepTally(open=fresh, succeeded=fleet - fresh), StepTally(pending=fleet))
    settled = [
        Settled(task_id=UUID(int=i), step_no=0, state=TaskState.SUCCEEDED, attempt=1) for i in range(fresh)
    ]
    steps = [step(), step(0)]
    best = float("inf")
    for _ in range(20):
        started = time.perf_counter()
        plan(steps, tally, settled, cancel_requested=False, now=NOW)
        best = min(best, time.perf_counter() - started)
    return best


def test_the_cost_of_a_plan_depends_on_what_is_fresh_and_not_on_the_fleet() -> None:
    assert _cost(100_000, fresh=64) < 5 * _cost(100, fresh=64)
