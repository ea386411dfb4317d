"""What must hold after every disruption, judged from the database and from what the target saw."""

from typing import TYPE_CHECKING

import asyncpg

from contracts.runs.states import RUN_TRANSITIONS, TASK_TRANSITIONS, RunStatus, TaskState
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.system import System

_INSTALL = """
    CREATE SCHEMA watch;
    CREATE TABLE watch.changes (
        id bigint GENERATED ALWAYS AS IDENTITY, kind text, subject uuid, before text, after text,
        occurred_at timestamptz DEFAULT clock_timestamp());
    CREATE FUNCTION watch.note_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO watch.changes (kind, subject, before, after)
        VALUES ('run', NEW.id, OLD.status, NEW.status);
        RETURN NULL; END $$;
    CREATE FUNCTION watch.note_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO watch.changes (kind, subject, before, after)
        VALUES ('task', NEW.id, OLD.state, NEW.state);
        RETURN NULL; END $$;
    CREATE TRIGGER watch AFTER UPDATE ON runs FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION watch.note_run();
    CREATE TRIGGER watch AFTER UPDATE ON tasks FOR EACH ROW
        WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION watch.note_task();
"""


async def install(url: str) -> None:
    """Record every change of a run's or task's state, in the transaction that makes it."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_INSTALL)
    finally:
        await connection.close()


async def assert_all_is_well(system: "System", *, dead_letters: int = 0) -> None:
    """Every promise that holds whatever was killed."""
    await _every_accepted_run_ended(system)
    await _changes_are_legal(system)
    await _attempts_and_chunks_have_no_gaps(system)
    _nothing_started_twice(system)

    async def outbox_is_empty() -> bool:
        return bool(await system.value("SELECT count(*) = 0 FROM outbox"))

    await eventually(outbox_is_empty, every=0.2)
    letters = await system.rows("SELECT queue, reason, last_error FROM dead_letters WHERE status = 'open'")
    assert len(letters) == dead_letters, [dict(letter) for letter in letters]


async def _every_accepted_run_ended(system: "System") -> None:
    found = await system.rows("SELECT id FROM runs WHERE id = ANY($1)", list(system.accepted))
    assert len(found) == len(system.accepted), "an accepted run was lost"
    await system.until_ended(system.accepted)
    left = await system.rows(
        """SELECT t.id, t.state, t.unplanned FROM tasks AS t JOIN runs AS r ON r.id = t.run_id
            WHERE r.ended_at IS NOT NULL AND (t.ended_at IS NULL OR t.unplanned OR t.worker_id IS NOT NULL)"""
    )
    assert not left, f"ended runs have open tasks: {left[:3]}"


async def _changes_are_legal(system: "System") -> None:
    changes = await system.rows("SELECT DISTINCT kind, before, after FROM watch.changes")
    for change in changes:
        if change["kind"] == "run":
            assert RunStatus(change["after"]) in RUN_TRANSITIONS[RunStatus(change["before"])], change
        else:
            assert TaskState(change["after"]) in TASK_TRANSITIONS[TaskState(change["before"])], change


async def _attempts_and_chunks_have_no_gaps(system: "System") -> None:
    attempts = await system.rows(
        """SELECT t.id, t.attempt, array_agg(a.number ORDER BY a.number) AS numbers
             FROM tasks AS t JOIN attempts AS a ON a.task_id = t.id GROUP BY t.id"""
    )
    for row in attempts:
        assert row["numbers"] == list(range(1, row["attempt"] + 1)), dict(row)
    gaps = await system.rows(
        """SELECT task_id, attempt, array_agg(seq ORDER BY seq) AS seqs FROM output_chunks
            GROUP BY task_id, attempt
           HAVING min(seq) <> 0 OR max(seq) + 1 <> count(*) OR count(DISTINCT seq) <> count(*)"""
    )
    assert not gaps, [dict(row) for row in gaps[:3]]


def _nothing_started_twice(system: "System") -> None:
    twice = {task: count for task, count in system.starts().items() if count > 1}
    assert twice.keys() <= system.repeatable, f"started more than once on the target: {twice}"
