"""Terminal states are final for everybody: the database itself refuses."""

import itertools

import pytest
from sqlalchemy.exc import DBAPIError

from contracts.runs.states import (
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    TASK_TRANSITIONS,
    RunStatus,
    TaskState,
)
from tests.support.engine import Engine

RUN_PAIRS = [pair for pair in itertools.product(RunStatus, RunStatus) if pair[0] is not pair[1]]
TASK_PAIRS = [pair for pair in itertools.product(TaskState, TaskState) if pair[0] is not pair[1]]


async def _allowed(engine: Engine, statement: str) -> bool:
    try:
        await engine.execute(statement)
    except DBAPIError as error:
        if "terminal states are final" not in str(error):
            raise
        return False
    return True


async def test_a_run_moves_only_as_contracts_say(engine: Engine) -> None:
    await engine.run({"type": "wait", "seconds": 0})
    for source, target in RUN_PAIRS:
        await engine.execute("ALTER TABLE runs DISABLE TRIGGER runs_transitions")
        await engine.execute(f"UPDATE runs SET status = '{source}', ended_at = {_ended(source)}")
        await engine.execute("ALTER TABLE runs ENABLE TRIGGER runs_transitions")

        moved = await _allowed(engine, f"UPDATE runs SET status = '{target}', ended_at = {_ended(target)}")

        assert moved == (target in RUN_TRANSITIONS[source]), (source, target)


def _ended(status: RunStatus) -> str:
    return "now()" if status in RUN_TERMINAL else "NULL"


async def test_a_task_moves_only_as_contracts_say(engine: Engine) -> None:
    await engine.fleet_run(1)
    for source, target in TASK_PAIRS:
        await engine.execute("ALTER TABLE tasks DISABLE TRIGGER tasks_transitions")
        await engine.execute(f"UPDATE tasks SET state = '{source}'")
        await engine.execute("ALTER TABLE tasks ENABLE TRIGGER tasks_transitions")

        moved = await _allowed(engine, f"UPDATE tasks SET state = '{target}'")

        assert moved == (target in TASK_TRANSITIONS[source]), (source, target)


@pytest.mark.parametrize("column", ["status", "ended_at"])
async def test_an_ended_run_has_a_time_of_ending_and_no_other_has(engine: Engine, column: str) -> None:
    await engine.run({"type": "wait", "seconds": 0})
    changes = {"status": "status = 'failed'", "ended_at": "ended_at = now()"}

    with pytest.raises(DBAPIError, match="ended_when_terminal"):
        await engine.execute(f"UPDATE runs SET {changes[column]}")
