"""What an attempt prints, on its way to storage: masked, bounded, in numbered chunks."""

import asyncio
import codecs
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from contracts.limits import CHUNK_BYTES, OUTPUT_HEAD_BYTES, OUTPUT_TAIL_BYTES
from infra.clock import now
from workers.executor.masking import Masker
from workers.executor.steps.base import Stream

FLUSH_BYTES = 32 * 1024
FLUSH_SECONDS = 0.05
SLICE_BYTES = CHUNK_BYTES // 3
"""A byte that is no UTF-8 becomes a character of three."""
NUL_SHOWN = "\u2400"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One row to be: its key is complete before the first try to store it."""

    task_id: UUID
    run_id: UUID
    attempt: int
    fence: int
    seq: int
    stream: Stream
    data: str
    source_end: int
    occurred_at: datetime


Store = Callable[[Chunk], Awaitable[None]]
"""Stores a chunk; raises `Fenced` when the task is no longer ours."""


class Watcher(Protocol):
    """Looks at all output as it is stored, also at what is left out of storage for its length."""

    def see(self, stream: Stream, text: str) -> None: ...

    def gap(self, stream: Stream) -> None: ...


@dataclass(slots=True)
class _StreamState:
    buffer: bytearray = field(default_factory=bytearray)
    source_end: int = 0
    """Bytes of the target's stream that lie before the buffer."""
    stored_end: int = 0
    kept: int = 0
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0
    timer: "asyncio.Task[None] | None" = None


def whole_characters(data: bytes) -> int:
    """Length of `data` without a UTF-8 character that its end cuts in two."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    return len(data) - len(decoder.getstate()[0])


class AttemptOutput:
    """The output sink of one attempt. The head of each stream is stored as it comes, the tail at the end."""

    def __init__(
        self,
        *,
        task_id: UUID,
        run_id: UUID,
        attempt: int,
        fence: int,
        masker: Masker,
        store: Store,
        next_seq: int = 0,
        positions: dict[str, int] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._key: dict[str, Any] = {
            "task_id": task_id,
            "run_id": run_id,
            "attempt": attempt,
            "fence": fence,
        }
        self._masker = masker
        self._store = store
        self._watcher = watcher
        self._seq = next_seq
        self._locks: dict[Stream, asyncio.Lock] = {"stdout": asyncio.Lock(), "stderr": asyncio.Lock()}
        self._numbering = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._streams: dict[Stream, _StreamState] = {}
        for stream in self._locks:
            start = (positions or {}).get(stream, 0)
            self._streams[stream] = _StreamState(source_end=start, stored_end=start, kept=start)
        self.truncated = False
        self.incomplete = False
        self.last_written = time.monotonic()
        """When the target wrote last; when this attempt began while it has written nothing."""
        self._failure: BaseException | None = None

    def position(self, stream: Stream) -> int:
        return self._streams[stream].stored_end

    async def write(self, stream: Stream, data: bytes) -> None:
        self._raise_failure()
        state = self._streams[stream]
        if data:
            self.last_written = time.monotonic()
        state.buffer += data
        if len(state.buffer) >= FLUSH_BYTES:
            async with self._locks[stream]:
                await self._flush(stream, final=False)
        elif state.timer is None or state.timer.done():
            state.timer = asyncio.create_task(self._flush_soon(stream), name="output-flush")

    async def mark_incomplete(self, stream: Stream, reason: str) -> None:
        self.incomplete = True
        async with self._locks[stream]:
            await self._flush(stream, final=True)
            if self._watcher is not None:
                self._watcher.gap(stream)
            await self._emit(stream, f"\n[output missing here: {reason}]\n", self._streams[stream].source_end)

    async def finish(self) -> None:
        """Store everything that is still held back, the kept tail included."""
        self._hurry.set()
        for stream, state in self._streams.items():
            if state.timer is not None:
                await state.timer  # cancelled, it could leave behind a chunk that comes after the settlement
            async with self._locks[stream]:
                await self._flush(stream, final=True)
                await self._store_tail(stream)
        self._raise_failure()

    async def abandon(self) -> None:
        """Stop storing; the task belongs to somebody else now."""
        for state in self._streams.values():
            if state.timer is not None:
                state.timer.cancel()
                await asyncio.gather(state.timer, return_exceptions=True)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _flush_soon(self, stream: Stream) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), FLUSH_SECONDS)
        try:
            async with self._locks[stream]:
                await self._flush(stream, final=False)
        except Exception as error:
            self._failure = error

    async def _flush(self, stream: Stream, *, final: bool) -> None:
        state = self._streams[stream]
        while state.buffer:
            data = bytes(state.buffer[: SLICE_BYTES + self._masker.longest])
            ended = final and len(data) == len(state.buffer)
            cut = self._masker.cut(data, limit=SLICE_BYTES, ended=ended)
            if not (ended and cut == len(data)):
                whole = whole_characters(data[:cut])
                cut = cut if self._masker.tears(data[:cut], whole) else whole
            if cut == 0:
                return
            del state.buffer[:cut]
            state.source_end += cut
            await self._keep(stream, self._masker.mask(data[:cut]))

    async def _keep(self, stream: Stream, data: bytes) -> None:
        state = self._streams[stream]
        if self._watcher is not None:
            self._watcher.see(stream, _shown(data))
        if state.dropped or state.tail or state.kept + len(data) > OUTPUT_HEAD_BYTES:
            self.truncated = True
            state.tail += data
            excess = len(state.tail) - OUTPUT_TAIL_BYTES
            if excess > 0:
                excess += _inside_character(state.tail, excess)
                del state.tail[:excess]
                state.dropped += excess
            await asyncio.sleep(0)  # nothing is stored here, and heartbeats must not wait for a flood to end
            return
        state.kept += len(data)
        await self._emit(stream, _shown(data), state.source_end)

    async def _store_tail(self, stream: Stream) -> None:
        state = self._streams[stream]
        if not state.tail:
            return
        if state.dropped:
            await self._emit(stream, f"\n[{state.dropped} bytes left out here]\n", state.stored_end)
        tail = bytes(state.tail)
        state.tail.clear()
        while tail:
            piece = tail[:SLICE_BYTES]
            if len(tail) > len(piece):
                piece = piece[: whole_characters(piece)]
            tail = tail[len(piece) :]
            await self._emit(stream, _shown(piece), state.source_end)

    async def _emit(self, stream: Stream, data: str, source_end: int) -> None:
        async with self._numbering:  # one at a time: a worker that dies must not leave a number out
            chunk = Chunk(
                **self._key,
                seq=self._seq,
                stream=stream,
                data=data,
                source_end=source_end,
                occurred_at=now(),
            )
            await self._store(chunk)
            self._seq += 1
            self._streams[stream].stored_end = source_end


def _inside_character(data: bytearray, at: int) -> int:
    """How many bytes behind `at` still belong to a UTF-8 character that began before it."""
    count = 0
    while count < 3 and at + count < len(data) and data[at + count] & 0xC0 == 0x80:  # noqa: PLR2004
        count += 1
    return count


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\0", NUL_SHOWN)
