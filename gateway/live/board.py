"""The status of all runs for lists in browsers: state, not history, so nothing here needs a cursor."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, text

from gateway.runs.progress import progress_of, running_tasks
from infra.database import Sessions
from infra.outages import is_outage

LOOK_SECONDS = 2.0
NEWEST = 200
MAX_UNSENT = 5_000

_LOOK = text("""
    (SELECT id, project_id, job_id, status, tally FROM runs WHERE id = ANY(CAST(:ids AS uuid[])))
    UNION
    (SELECT id, project_id, job_id, status, tally FROM runs WHERE :all ORDER BY id DESC LIMIT :newest)
""")

log = structlog.get_logger()


class Watcher:
    """One stream's share: the latest status of each run that it has not sent yet."""

    def __init__(self, project_id: UUID, bell: asyncio.Event) -> None:
        self.project_id = project_id
        self.bell = bell
        self.unsent: dict[UUID, dict[str, Any]] = {}

    @property
    def too_slow(self) -> bool:
        return len(self.unsent) > MAX_UNSENT


class Board:
    """Reads changed runs once for all watchers: those that were rung for, and every 2 s the newest."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._watchers: set[Watcher] = set()
        self._known: dict[UUID, tuple[str, Any]] = {}
        self._rung: set[UUID] = set()
        self._later: set[UUID] = set()
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ring(self, run_ids: Iterable[UUID]) -> None:
        if self._watchers:
            self._rung.update(run_ids)
            self._bell.set()

    def join(self, watcher: Watcher) -> None:
        self._watchers.add(watcher)
        if self._task is None or self._task.done():
            self._known.clear()
            self._task = asyncio.create_task(self._watch(), name="run-board")

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        look_all, loop = True, asyncio.get_running_loop()
        next_look = loop.time()
        while self._watchers:
            rung, self._rung = self._rung, set()
            self._bell.clear()
            try:
                await self._look(rung, look_all=look_all)
            except Exception as error:
                if not is_outage(error):
                    log.exception("board.read_failed")
            next_look = loop.time() + LOOK_SECONDS if look_all else next_look
            try:
                async with asyncio.timeout_at(next_look):
                    await self._bell.wait()
                look_all = False
            except TimeoutError:
                look_all = True

    async def _look(self, rung: set[UUID], *, look_all: bool) -> None:
        first, changed = not self._known, list[Row[Any]]()
        if look_all:
            rung, self._later = rung | self._later, set()
        async with self._sessions() as session:
            rows = (
                await session.execute(_LOOK, {"ids": list(rung), "all": look_all, "newest": NEWEST})
            ).all()
        for row in rows:
            known = self._known.get(row.id)
            if known == (row.status, row.tally):
                continue
            if known is not None and known[0] == row.status and not look_all:
                self._later.add(row.id)  # how far a run is can wait for the next look at all
                continue
            self._known[row.id] = (row.status, row.tally)
            if not first:
                changed.append(row)
        await self._tell(changed)
        while len(self._known) > MAX_UNSENT:
            del self._known[next(iter(self._known))]

    async def _tell(self, changed: Sequence[Row[Any]]) -> None:
        if not changed:
            return
        async with self._sessions() as session:
            held = await running_tasks(session, [row.id for row in changed if row.tally])
        for row in changed:
            progress = progress_of(row.tally, running=held.get(row.id, 0))
            told = {
                "run_id": str(row.id),
                "job_id": str(row.job_id),
                "status": row.status,
                "progress": progress.model_dump(),
            }
            for watcher in self._watchers:
                if watcher.project_id == row.project_id:
                    watcher.unsent[row.id] = told
                    watcher.bell.set()
