"""Open streams of this process: those that follow one run share its queries.

A channel reads only when a stream has sent everything it was given, so nothing piles up for slow clients;
one that fell behind what the channel keeps reads from the database by itself.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from contracts.errors import NotFound
from contracts.runs.looks import RUNS_CHANGED
from gateway.jobs.definitions import Definitions
from gateway.live.board import Board
from gateway.live.frames import Cursor, Frame
from gateway.live.reading import PAGE, RunReader, RunState
from gateway.live.rooms import Rooms
from infra.database import Sessions
from infra.outages import is_outage

LOOK_SECONDS = RUNS_CHANGED.seconds
FIRST_RETRY_SECONDS = 0.025
DELAYED_SECONDS = 2.0
KEPT_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()


class Channel:
    """What the streams of one run share: a reader, and the latest frames."""

    def __init__(self, reader: RunReader, start: Cursor) -> None:
        self.reader = reader
        self.delayed = False
        self.ended: RunState | None = None
        """Set once the run has ended and every row of it stands at or before the head."""
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._floor = self._head = start
        self._bell = asyncio.Event()
        self._demand = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._held_since: float | None = None
        self._retry = FIRST_RETRY_SECONDS

    def ring(self) -> None:
        self._bell.set()

    def listen(self, bell: asyncio.Event) -> None:
        self._listeners.add(bell)

    def leave(self, bell: asyncio.Event) -> int:
        """How many streams remain."""
        self._listeners.discard(bell)
        return len(self._listeners)

    def after(self, cursor: Cursor) -> list[Frame] | None:
        """The kept frames after `cursor`, asking for more if there are none; None when it is before them."""
        if cursor < self._floor:
            return None
        frames = [frame for frame in self._frames if frame.cursor > cursor]
        if not frames:
            self._demand.set()
        return frames

    def finished(self, cursor: Cursor) -> RunState | None:
        """How the run ended, for a stream that has sent everything."""
        return self.ended if cursor >= self._head else None

    async def read_on(self) -> None:
        """Read while anybody listens; ends with the run."""
        while self.ended is None:
            await self._demand.wait()
            self._bell.clear()
            try:
                full = await self._look()
                pause = self._pause()
            except Exception as error:
                if not is_outage(error):
                    log.exception("stream.read_failed")
                full, pause = False, LOOK_SECONDS
            if not full and self.ended is None:
                await self._rung(pause)

    async def _rung(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _look(self) -> bool:
        frames = await self.reader.page(self._head)
        if frames:
            self._keep(frames)
            self._held_since, self._retry = None, FIRST_RETRY_SECONDS
        if len(frames) == PAGE:
            self._tell()
            return True
        state = await self.reader.state(self._head)
        self._note(state)
        if frames or self.ended or self.delayed:
            self._tell()
        return False

    def _note(self, state: RunState | None) -> None:
        now = asyncio.get_running_loop().time()
        if state is None or (state.ended and not state.more):
            self.ended = state or RunState("unknown", "The run was removed.", ended=True, more=False)
            self.delayed = False
            return
        if not state.more:
            self._held_since, self.delayed, self._retry = None, False, FIRST_RETRY_SECONDS
            return
        self._held_since = self._held_since or now
        self.delayed = now - self._held_since >= DELAYED_SECONDS

    def _pause(self) -> float:
        if self._held_since is None:
            return LOOK_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311
        self._retry = min(self._retry * 2, LOOK_SECONDS)
        return self._retry

    def _keep(self, frames: list[Frame]) -> None:
        self._demand.clear()
        self._frames.extend(frames)
        self._bytes += sum(len(frame.data) for frame in frames)
        self._head = frames[-1].cursor
        while self._bytes > KEPT_BYTES and len(self._frames) > PAGE:
            gone = self._frames.popleft()
            self._bytes -= len(gone.data)
            self._floor = gone.cursor

    def _tell(self) -> None:
        for bell in self._listeners:
            bell.set()


class Hub:
    """Every channel of this process by run, and the board of all runs."""

    def __init__(self, sessions: Sessions, definitions: Definitions, rooms: Rooms) -> None:
        self._sessions = sessions
        self._definitions = definitions
        self._channels: dict[UUID, tuple[Channel, asyncio.Task[None]]] = {}
        self.board = Board(sessions)
        self.rooms = rooms
        self.closing = asyncio.Event()

    @property
    def open_channels(self) -> int:
        return len(self._channels)

    def ring(self, run_ids: Iterable[UUID]) -> None:
        """These runs have new rows."""
        ids = list(run_ids)
        for run_id in ids:
            if run_id in self._channels:
                self._channels[run_id][0].ring()
        self.board.ring(ids)

    @asynccontextmanager
    async def follow(
        self, run_id: UUID, project_id: UUID, start: Cursor, bell: asyncio.Event
    ) -> AsyncIterator[Channel]:
        """The run's channel, which rings `bell` when it has news; raises `NotFound`."""
        reader = RunReader(self._sessions, self._definitions, run_id)
        if not await reader.exists(project_id):
            raise NotFound.of("run", run_id)
        if run_id not in self._channels:
            channel = Channel(reader, start)
            self._channels[run_id] = (channel, asyncio.create_task(channel.read_on(), name="run-channel"))
        channel, task = self._channels[run_id]
        channel.listen(bell)
        try:
            yield channel
        finally:
            if channel.leave(bell) == 0:
                self._channels.pop(run_id, None)
                task.cancel()

    async def close(self) -> None:
        """End every stream; browsers come back to another replica with their last event id."""
        self.closing.set()
        tasks = [task for _, task in self._channels.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.board.close()
        await self.rooms.close()
