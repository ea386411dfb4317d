"""Group commit without lingering: whatever waits when the last transaction returns goes into the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from infra.outages import Gate, StillDown, is_conflict, is_outage

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_ITEMS = 100
MAX_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    size: int
    done: "asyncio.Future[Result]"


class Batcher(Generic[Item, Result]):
    """Hands items to `write` in lists, one list per transaction, and resolves each caller with its result.

    `write` returns one result (or exception) per item, in order. Items carry keys made before the first try,
    so a list whose commit was lost in an outage can be written again. A data error halves the list until
    only the guilty item fails. A cancelled caller does not take its item back.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        gate: Gate,
        max_items: int = MAX_ITEMS,
        max_bytes: int = MAX_BYTES,
        lanes: int = 1,
    ) -> None:
        self._write = write
        self._gate = gate
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._lanes = lanes
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._writers: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item, *, size: int = 0) -> Result:
        """The result of `item` once its transaction has committed; raises what went wrong with it alone."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, size, done))
        if len(self._writers) < self._lanes:
            writer = asyncio.create_task(self._drain(), name="batch-writer")
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await done

    async def flush(self) -> None:
        """Wait until nothing is waiting."""
        while self._writers:
            await asyncio.gather(*self._writers, return_exceptions=True)

    async def _drain(self) -> None:
        while self._queue:
            await self._write_or_halve(self._take())

    def _take(self) -> list[_Waiting[Item, Result]]:
        taken: list[_Waiting[Item, Result]] = []
        size = 0
        while self._queue and len(taken) < self._max_items:
            if taken and size + self._queue[0].size > self._max_bytes:
                break
            waiting = self._queue.popleft()
            size += waiting.size
            taken.append(waiting)
        return taken

    async def _write_or_halve(self, batch: list[_Waiting[Item, Result]]) -> None:
        items = [waiting.item for waiting in batch]
        try:
            results = await self._gate.run(lambda: self._write(items))
        except Exception as error:
            if len(batch) == 1 or isinstance(error, StillDown) or is_outage(error) or is_conflict(error):
                for waiting in batch:
                    _resolve(waiting.done, error)
                return
            middle = len(batch) // 2
            await self._write_or_halve(batch[:middle])
            await self._write_or_halve(batch[middle:])
            return
        for waiting, result in zip(batch, results, strict=True):
            _resolve(waiting.done, result)


def _resolve(done: "asyncio.Future[Result]", result: Result | Exception) -> None:
    if done.done():
        return
    if isinstance(result, Exception):
        done.set_exception(result)
    else:
        done.set_result(result)
