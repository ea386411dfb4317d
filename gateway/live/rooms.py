"""Small pictures of queues, workers, dead letters and targets for streams: sent when they change.

State, not history: whoever comes (back) gets the present picture first, so nothing here needs a cursor.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, get_args

import orjson
import structlog
from sqlalchemy import text

from contracts.access.roles import Permission
from infra.database import Sessions
from infra.outages import is_outage

Room = Literal["queues", "workers", "dlq", "targets"]
ROOMS: tuple[Room, ...] = get_args(Room)
NEEDED = {
    "queues": Permission.SYSTEM_READ,
    "workers": Permission.SYSTEM_READ,
    "dlq": Permission.DEADLETTERS_READ,
    "targets": Permission.TARGETS_READ,
}
LOOK_SECONDS = 2.0
BROKER_EVERY = 3
"""Only every third look asks the broker: each asks over a connection of its own."""

_BACKLOG = text("""
    SELECT pool, count(*) AS tasks, min(not_before) AS oldest_at FROM tasks
     WHERE state = 'ready' AND parked_by IS NULL GROUP BY pool ORDER BY pool
""")
_WORKERS = text("""
    SELECT w.id::text AS id, w.roles, w.pools, w.host, w.version, w.slots, w.lease_until > now() AS alive,
           (SELECT count(*) FROM tasks WHERE worker_id = w.id AND state = 'running') AS running
      FROM workers AS w WHERE w.released_at IS NULL ORDER BY w.id LIMIT 200
""")
_LETTERS = text("""
    SELECT count(*) AS open, max(id::text) AS newest, min(created_at) AS oldest_at FROM dead_letters
     WHERE status = 'open'
""")
_TARGETS = text("""
    SELECT count(*) AS total, max(updated_at) AS changed_at FROM targets WHERE archived_at IS NULL
""")

log = structlog.get_logger()


class RoomWatcher:
    """One stream's share: the latest picture of each room that it has not sent yet."""

    def __init__(self, rooms: Sequence[Room], bell: asyncio.Event) -> None:
        self.rooms = frozenset(rooms)
        self.bell = bell
        self.unsent: dict[str, bytes] = {}

    def show(self, room: str, picture: bytes) -> None:
        self.unsent[room] = picture
        self.bell.set()


class Rooms:
    """Looks every 2 s while anybody watches, once for all of them."""

    def __init__(self, sessions: Sessions, queues: Callable[[], Awaitable[Sequence[Any]]]) -> None:
        self._sessions = sessions
        self._queues = queues
        self._watchers: set[RoomWatcher] = set()
        self._pictures: dict[str, bytes] = {}
        self._broker: list[dict[str, Any]] | None = None
        self._task: asyncio.Task[None] | None = None

    def join(self, watcher: RoomWatcher) -> None:
        self._watchers.add(watcher)
        if self._task is None or self._task.done():
            self._pictures.clear()
            self._task = asyncio.create_task(self._watch(), name="rooms")
        for room in watcher.rooms & self._pictures.keys():
            watcher.show(room, self._pictures[room])

    def leave(self, watcher: RoomWatcher) -> None:
        self._watchers.discard(watcher)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        looks = 0
        while self._watchers:
            for room in frozenset[Room]().union(*(watcher.rooms for watcher in self._watchers)):
                try:
                    if room == "queues" and looks % BROKER_EVERY == 0:
                        await self._ask_broker()
                    self._show(room, orjson.dumps(await self._picture(room)))
                except Exception as error:
                    if not is_outage(error):
                        log.exception("room.read_failed", room=room)
            looks += 1
            await asyncio.sleep(LOOK_SECONDS)

    def _show(self, room: str, picture: bytes) -> None:
        if self._pictures.get(room) == picture:
            return
        self._pictures[room] = picture
        for watcher in self._watchers:
            if room in watcher.rooms:
                watcher.show(room, picture)

    async def _ask_broker(self) -> None:
        try:
            found = await self._queues()
        except (OSError, TimeoutError):
            self._broker = None
            return
        self._broker = [{"name": q.name, "depth": q.depth, "consumers": q.consumers} for q in found]

    async def _picture(self, room: Room) -> dict[str, Any]:
        async with self._sessions() as session:
            if room == "workers":
                return {"workers": [dict(row) for row in (await session.execute(_WORKERS)).mappings()]}
            if room == "queues":
                backlog = [dict(row) for row in (await session.execute(_BACKLOG)).mappings()]
                return {"queues": self._broker, "backlog": backlog}
            statement = _LETTERS if room == "dlq" else _TARGETS
            return dict((await session.execute(statement)).mappings().one())
