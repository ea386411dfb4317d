"""Facts reach their target in the transaction that settles the task, and only from who holds it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock
from uuid import UUID

from contracts.runs.states import TaskState
from infra.process import Process
from tests.support.engine import Engine, settlement
from workers.executor.holding import Claimed
from workers.executor.ledger import BatchedLedger


async def facts_of(engine: Engine) -> dict[str, Any]:
    rows = await engine.rows(
        "SELECT name, facts, facts_at, version, updated_at = created_at AS same FROM targets"
    )
    assert all((row.facts is None) == (row.facts_at is None) for row in rows)
    assert all(row.version == 1 and row.same for row in rows)
    return {row.name: row.facts for row in rows if row.facts is not None}


async def _settled(engine: Engine, tasks: list[Claimed], facts: list[dict[str, Any]]) -> set[UUID]:
    """Settle as the executor's ledger does; the tasks that were still held."""
    process = SimpleNamespace(open_uow=engine.open_uow, sessions=engine.sessions, gate=Mock())
    ledger = BatchedLedger(cast("Process", process), Mock())
    settlements = [replace(settlement(task), facts=one) for task, one in zip(tasks, facts, strict=True)]
    answers = await ledger._write_settlements(settlements)
    return {task.id for task, answer in zip(tasks, answers, strict=True) if answer is None}


async def test_each_target_gets_its_own_facts_and_a_query_finds_them(engine: Engine) -> None:
    await engine.fleet_run(3)
    tasks = await engine.claim(await engine.worker())
    told = {task.id: {"memory_gb": number, "os_family": "linux"} for number, task in enumerate(tasks)}
    names = {task.id: (task.target or {})["name"] for task in tasks}

    await _settled(engine, tasks, [told[task.id] for task in tasks])

    assert await facts_of(engine) == {names[task.id]: told[task.id] for task in tasks}
    run = await engine.run(
        {"type": "ssh.exec", "command": "id", "target": {"query": "facts.memory_gb>=1 facts.os_family:linux"}}
    )
    await engine.start(run)
    rows = await engine.rows("SELECT target_name FROM tasks WHERE run_id = :r", r=run)
    assert {row.target_name for row in rows} == {names[task.id] for task in tasks[1:]}


async def test_two_steps_that_look_at_one_target_at_once_leave_one_of_both(engine: Engine) -> None:
    await engine.targets(1)
    run = await engine.run({"type": "facts"}, {"type": "facts", "needs": []}, targets=["t0"])
    await engine.start(run)
    tasks = await engine.claim(await engine.worker())

    await _settled(engine, tasks, [{"os_name": "a"}, {"os_name": "b"}])

    assert (await facts_of(engine))["t0"] in ({"os_name": "a"}, {"os_name": "b"})


async def test_a_worker_that_lost_its_task_changes_no_facts(engine: Engine) -> None:
    await engine.fleet_run(1)
    tasks = await engine.claim(await engine.worker())
    await engine.execute("UPDATE tasks SET fence = fence + 1")

    assert await _settled(engine, tasks, [{"os_name": "late"}]) == set()
    assert await facts_of(engine) == {}
    assert await engine.scalar("SELECT state FROM tasks") == TaskState.RUNNING
