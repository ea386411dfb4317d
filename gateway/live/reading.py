"""The queries of a live stream."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs.looks import RUNS_CHANGED
from contracts.runs.states import RUN_TERMINAL
from gateway.jobs.definitions import Definitions
from gateway.live.frames import Cursor, Frame, json
from infra.database import Sessions

PAGE = 64
"""Rows read at once; a chunk of output has at most 64 KiB."""

_PAGE = text(RUNS_CHANGED.sql)
_STATE = text("""
    SELECT runs.status, runs.reason, runs.ended_at IS NOT NULL AS ended,
           EXISTS (SELECT 1 FROM run_events WHERE run_id = :run_id
                      AND (xid, id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint)))
        OR EXISTS (SELECT 1 FROM output_chunks WHERE run_id = :run_id
                      AND (xid, id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))) AS more
      FROM runs WHERE runs.id = :run_id
""")
_RUN = text("SELECT job_id, job_version FROM runs WHERE id = :run_id AND project_id = :project_id")
_TASKS = text("SELECT id, step_no, target_name FROM tasks WHERE id = ANY(CAST(:ids AS uuid[]))")
_EPOCH = text("SELECT epoch FROM stream_epoch WHERE id = 1")

_TERMINAL = frozenset(status.value for status in RUN_TERMINAL)


@dataclass(frozen=True, slots=True)
class RunState:
    """`more`: committed rows stand after the cursor, perhaps above a transaction that is still open."""

    status: str
    reason: str | None
    ended: bool
    more: bool


class RunReader:
    """Reads the rows of one run and turns them into frames, with names instead of numbers."""

    def __init__(self, sessions: Sessions, definitions: Definitions, run_id: UUID) -> None:
        self._sessions = sessions
        self._definitions = definitions
        self._run_id = run_id
        self._definition: JobDefinition | None = None
        self._places: dict[UUID, tuple[str, str | None]] = {}

    async def exists(self, project_id: UUID) -> bool:
        async with self._sessions() as session:
            run = (
                await session.execute(_RUN, {"run_id": self._run_id, "project_id": project_id})
            ).one_or_none()
            if run is None:
                return False
            self._definition = await self._definitions.one(session, run.job_id, run.job_version)
        return True

    async def page(self, cursor: Cursor) -> list[Frame]:
        """Up to `PAGE` frames after `cursor`, in order and without gaps."""
        async with self._sessions() as session:
            rows = (await session.execute(_PAGE, self._after(cursor) | {"limit": PAGE})).all()
            unknown = {row.task_id for row in rows if row.task_id and row.task_id not in self._places}
            if unknown:
                for task in await session.execute(_TASKS, {"ids": list(unknown)}):
                    self._places[task.id] = (self._step(task.step_no), task.target_name)
        return [self._frame(row) for row in rows]

    async def state(self, cursor: Cursor) -> RunState | None:
        """Where the run stands; None when there is no such run any more."""
        async with self._sessions() as session:
            row = (await session.execute(_STATE, self._after(cursor))).one_or_none()
        return None if row is None else RunState(row.status, row.reason, row.ended, row.more)

    def _after(self, cursor: Cursor) -> dict[str, Any]:
        return {"run_id": self._run_id, "xid": str(cursor[0]), "id": cursor[1]}

    def _step(self, step_no: int) -> str:
        assert self._definition is not None  # noqa: S101  (`exists` was awaited first)
        return step_name(self._definition.steps[step_no], step_no)

    def _frame(self, row: Row[Any]) -> Frame:
        cursor, run_id = (row.xid, row.id), str(self._run_id)
        if row.kind == "output":
            step, target = self._places.get(row.task_id, (None, None))
            return Frame(
                cursor,
                "output",
                json(
                    {
                        "run_id": run_id,
                        "task_id": str(row.task_id),
                        "step": step,
                        "target": target,
                        "attempt": row.attempt,
                        "stream": row.stream,
                        "seq": row.seq,
                        "time": row.occurred_at,
                        "data": row.data,
                    }
                ),
            )
        if row.kind == "tasks":
            tasks = [
                task | ({"step": self._step(task["step_no"])} if "step_no" in task else {})
                for task in row.event.get("tasks", [])
            ]
            return Frame(cursor, "tasks", json({"run_id": run_id, "tasks": tasks}))
        ends = row.event.get("status") in _TERMINAL
        return Frame(cursor, "run", json({"run_id": run_id, **row.event}), ends)


async def stream_epoch(sessions: Sessions) -> int:
    """Which counting of transaction ids cursors belong to."""
    async with sessions() as session:
        epoch: int = (await session.execute(_EPOCH)).scalar_one()
    return epoch
