"""Starting and advancing runs on a real PostgreSQL."""

import asyncio
import time
from typing import Any

import pytest

from contracts.limits import TASKS_PER_MESSAGE
from tests.support.engine import Engine
from workers.orchestrator import store

WAIT: dict[str, Any] = {"type": "wait", "seconds": 0}
EXEC: dict[str, Any] = {"type": "ssh.exec", "command": "id"}


async def test_a_run_over_many_targets_becomes_ready_tasks_and_few_messages(engine: Engine) -> None:
    run = await engine.fleet_run(130)

    assert await engine.states(run) == {"ready": 130}
    commands = [row for row in engine.relay.rows if row.wire_type == "runs.execute-tasks.v1"]
    assert len(commands) == -(-130 // TASKS_PER_MESSAGE)
    assert await engine.rows("SELECT kind, event->>'status' FROM run_events") == [("run", "running")]


async def test_starting_a_run_again_changes_nothing(engine: Engine) -> None:
    run = await engine.fleet_run(3)
    sent = len(engine.relay.rows)

    await engine.start(run, run)

    assert await engine.states(run) == {"ready": 3}
    assert len(engine.relay.rows) == sent


async def _statements_and_seconds_of_the_last_plan(engine: Engine, count: int) -> tuple[int, float]:
    run = await engine.fleet_run(count)
    await engine.execute("ALTER TABLE tasks DISABLE TRIGGER tasks_transitions")
    await engine.execute("UPDATE tasks SET state = 'succeeded', ended_at = now(), unplanned = true")
    await engine.execute("ALTER TABLE tasks ENABLE TRIGGER tasks_transitions")
    with engine.statements() as sent:
        started = time.perf_counter()
        await engine.advance(run)
        took = time.perf_counter() - started
    assert await engine.status(run) == "succeeded"
    return len(sent), took


async def test_ten_and_ten_thousand_targets_cost_the_same_statements(engine: Engine) -> None:
    few, few_seconds = await _statements_and_seconds_of_the_last_plan(engine, 10)
    await engine.execute("TRUNCATE targets CASCADE")
    many, many_seconds = await _statements_and_seconds_of_the_last_plan(engine, 10_000)

    assert many == few
    assert many_seconds < 1_000 * few_seconds


async def test_starting_ten_thousand_targets_takes_as_many_statements_as_ten(engine: Engine) -> None:
    counts = []
    for size in (10, 10_000):
        await engine.execute("TRUNCATE targets CASCADE")
        await engine.targets(size)
        run = await engine.run(EXEC, targets=[f"t{i}" for i in range(size)])
        with engine.statements() as sent:
            await engine.start(run)
        counts.append(len(sent))
        assert await engine.states(run) == {"ready": size}

    assert counts[0] == counts[1]


async def test_no_more_than_max_parallel_are_released_and_the_rest_in_order(engine: Engine) -> None:
    run, worker = await engine.fleet_run(7, max_parallel=3), await engine.worker()
    order: list[str] = []
    while await engine.status(run) == "running":
        assert (await engine.states(run)).get("ready", 0) <= 3
        [task] = await engine.claim(worker, limit=1)
        assert task.target is not None
        order.append(task.target["name"])
        await engine.settle([task])
        await engine.advance(run)

    assert order == [f"t{i}" for i in range(7)]
    assert await engine.status(run) == "succeeded"


async def test_a_retry_is_ready_again_only_after_its_back_off_and_rung_when_it_is_due(engine: Engine) -> None:
    run = await engine.fleet_run(1, step={"retry": {"attempts": 3, "backoff": 60}})
    worker = await engine.worker()
    [task] = await engine.claim(worker)
    await engine.settle([task], "pending")
    await engine.advance(run)

    assert await engine.claim(worker) == []
    due = await engine.scalar("SELECT not_before > now() + interval '55 s' FROM tasks")
    rung = await engine.rows(
        """SELECT o.available_at = t.not_before FROM outbox AS o, tasks AS t
            WHERE o.wire_type = 'runs.execute-tasks.v1' AND o.available_at > now() + interval '30 s'"""
    )
    assert (due, rung) == (True, [(True,)])
    await engine.execute("UPDATE tasks SET not_before = now()")
    [again] = await engine.claim(worker)
    assert (again.id, again.attempt) == (task.id, 2)


async def test_a_failure_stops_the_run_and_skips_what_has_not_begun(engine: Engine) -> None:
    run = await engine.fleet_run(4, max_parallel=2)
    tasks = await engine.claim(await engine.worker())
    await engine.settle(tasks[:1], "failed")
    await engine.advance(run)
    assert await engine.states(run) == {"failed": 1, "running": 1, "skipped": 2}
    assert await engine.status(run) == "running"

    await engine.settle(tasks[1:])
    await engine.advance(run)

    assert await engine.status(run) == "failed"


async def test_a_step_that_may_fail_lets_the_run_go_on(engine: Engine) -> None:
    run = await engine.fleet_run(3, step={"on_failure": "continue"}, max_parallel=1)
    worker = await engine.worker()
    for state in ("failed", "succeeded", "timed_out"):
        await engine.settle(await engine.claim(worker), state)
        await engine.advance(run)

    assert await engine.status(run) == "partial"


async def test_a_run_cancelled_before_it_starts_never_has_tasks(engine: Engine) -> None:
    run = await engine.run(WAIT)
    await engine.cancel(run)
    await engine.start(run)

    assert (await engine.status(run), await engine.states(run)) == ("cancelled", {})


async def test_a_cancel_ends_what_is_ready_or_pending_and_waits_for_what_runs(engine: Engine) -> None:
    run = await engine.fleet_run(5, max_parallel=2)
    worker = await engine.worker()
    [running] = await engine.claim(worker, limit=1)
    await engine.cancel(run)
    assert await engine.claim(worker) == [], "nothing starts once the cancel is committed"
    await engine.advance(run)
    assert await engine.status(run) == "cancelling"
    assert await engine.states(run) == {"running": 1, "cancelled": 4}

    await engine.settle([running], "cancelled")
    await engine.advance(run)

    assert await engine.status(run) == "cancelled"


async def test_a_task_that_waits_for_a_retry_is_cancelled_too(engine: Engine) -> None:
    run = await engine.fleet_run(1, step={"retry": {"attempts": 3, "backoff": 60}})
    await engine.settle(await engine.claim(await engine.worker()), "pending")
    await engine.advance(run)
    await engine.cancel(run)
    await engine.advance(run)

    assert (await engine.status(run), await engine.states(run)) == ("cancelled", {"cancelled": 1})


async def test_a_cancel_after_the_end_changes_nothing(engine: Engine) -> None:
    run = await engine.fleet_run(1)
    await engine.settle(await engine.claim(await engine.worker()))
    await engine.advance(run)
    await engine.cancel(run)
    await engine.advance(run)

    assert await engine.status(run) == "succeeded"


async def test_a_run_without_its_targets_fails_and_says_which(engine: Engine) -> None:
    run = await engine.run(EXEC | {"target": "nowhere"})
    await engine.start(run)

    assert await engine.rows("SELECT status, reason FROM runs") == [
        ("failed", "Step step-1: there is no target named nowhere.")
    ]


async def test_a_parked_run_is_left_alone(engine: Engine) -> None:
    run = await engine.run(WAIT)
    await engine.execute("UPDATE runs SET parked_by = gen_random_uuid()")
    await engine.start(run)

    assert await engine.status(run) == "requested"


async def test_two_planners_at_once_never_release_twice(engine: Engine) -> None:
    run, worker = await engine.fleet_run(60, max_parallel=5), await engine.worker()
    for _ in range(12):
        tasks = await engine.claim(worker)
        assert len(tasks) <= 5
        await asyncio.gather(
            *(engine.settle([task]) for task in tasks), *(engine.advance(run) for _ in range(4))
        )
        await engine.advance(run)
        released = await engine.states(run)
        assert released.get("ready", 0) <= 5

    assert await engine.status(run) == "succeeded"
    [tally] = await engine.scalar("SELECT tally FROM runs WHERE id = :r", r=run)
    assert tally == {"succeeded": 60}
    assert await engine.scalar("SELECT max(attempt) FROM tasks") == 1


@pytest.mark.parametrize("end", ["cancel", "failure"])
async def test_an_attempt_that_fails_during_a_plan_is_counted_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """It settles between the plan's reading and its writing: that plan must leave it to the next one."""
    run = await engine.fleet_run(3, step={"retry": {"attempts": 3, "backoff": 0}}, max_parallel=2)
    first, second = await engine.claim(await engine.worker())
    if end == "cancel":
        await engine.cancel(run)
    else:
        await engine.settle([first], "failed")
    in_between = store.end_unstarted

    async def settles_in_between(*args: Any, **kwargs: Any) -> Any:
        await engine.settle([second], "pending")
        return await in_between(*args, **kwargs)

    monkeypatch.setattr(store, "end_unstarted", settles_in_between)
    await engine.advance(run)
    monkeypatch.undo()
    if end == "cancel":
        await engine.settle([first])
    await engine.advance(run)

    assert await engine.status(run) == ("cancelled" if end == "cancel" else "failed")
    [tally] = await engine.scalar("SELECT tally FROM runs WHERE id = :r", r=run)
    assert sum(tally.values()) == 3
    assert tally == await engine.states(run)


async def test_an_attempt_that_fails_during_a_release_is_not_released_in_its_place(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await engine.fleet_run(3, step={"retry": {"attempts": 2, "backoff": 0}}, max_parallel=2)
    first, second = await engine.claim(await engine.worker())
    await engine.settle([second])
    original = store.release

    async def settles_in_between(*args: Any) -> Any:
        await engine.settle([first], "pending")
        return await original(*args)

    monkeypatch.setattr(store, "release", settles_in_between)
    await engine.advance(run)
    monkeypatch.undo()
    await engine.advance(run)

    ready = await engine.rows("SELECT ordinal, attempt FROM tasks WHERE state = 'ready' ORDER BY ordinal")
    assert ready == [(0, 1), (2, 0)]
    [tally] = await engine.scalar("SELECT tally FROM runs WHERE id = :r", r=run)
    assert tally == {"open": 2, "succeeded": 1}
