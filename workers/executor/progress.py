"""How far steps are, told about once a second. Only for people to look at: what is lost is not repeated."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
import structlog
from sqlalchemy import text

from infra.database import Statements
from infra.outages import is_outage
from infra.process import Process
from workers.executor.holding import Claimed
from workers.executor.steps.base import Progress

EVERY_SECONDS = 1.0

_TELL = text("""
    WITH w AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:fences AS bigint[]),
                   CAST(:progress AS text[])) AS w (id, fence, progress)),
    ours AS (
        SELECT t.*, w.progress::jsonb AS progress FROM tasks AS t JOIN w ON w.id = t.id AND w.fence = t.fence
         WHERE t.state = 'running' FOR SHARE OF t SKIP LOCKED),
    kept AS (
        UPDATE attempts SET progress = ours.progress FROM ours
         WHERE attempts.task_id = ours.id AND attempts.number = ours.attempt)
    INSERT INTO run_events (run_id, kind, event)
    SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_agg(jsonb_build_object(
               'task', id, 'step_no', step_no, 'target', target_name, 'state', state, 'attempt', attempt,
               'progress', progress)))
      FROM ours GROUP BY run_id
    RETURNING run_id
""")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    task: Claimed
    progress: Progress


class ProgressBoard:
    """Keeps the latest word of each task and writes all of them together, once a second."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._latest: dict[UUID, Told] = {}

    def reporter(self, task: Claimed) -> Callable[[Progress], None]:
        """What a step tells its progress to: never waits, never fails."""

        def report(progress: Progress) -> None:
            self._latest[task.id] = Told(task, progress)

        return report

    async def loop(self) -> None:
        """Write for ever; what cannot be written now is dropped."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            told, self._latest = list(self._latest.values()), {}
            if not told or not self._process.gate.is_open:
                continue
            try:
                async with self._process.open_uow() as uow:
                    for run_id in await tell(uow.session, told):
                        uow.touch(run_id)
            except Exception as error:
                if not is_outage(error):
                    log.exception("progress.not_told")


async def tell(session: Statements, told: Sequence[Told]) -> list[UUID]:
    """Store the progress of those tasks that are still theirs who tell it; the runs concerned."""
    rows = await session.scalars(
        _TELL,
        {
            "ids": [one.task.id for one in told],
            "fences": [one.task.fence for one in told],
            "progress": [orjson.dumps(one.progress).decode() for one in told],
        },
    )
    return list(rows)
