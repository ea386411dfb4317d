"""Getting an attempt ready (names, logins, hosts without room) takes time; to stop it takes none."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from workers.executor.steps.base import Attempt
from workers.executor.waiting import StopReason

UNDO_SECONDS = 10.0
"""For a start that was called off to take back what it has begun on the target."""

log = structlog.get_logger()


async def unless_told(
    start: Coroutine[Any, Any, Attempt], stop: "asyncio.Future[StopReason]", *, left: float
) -> Attempt | StopReason:
    """The attempt that `start` gets ready, or why that was called off, at the latest after `left` seconds.

    Nothing has acted then, and what was made on the target has been taken back. Raises what `start` raises.
    """
    starting = asyncio.create_task(start, name="start")
    try:
        waited: set[asyncio.Future[Any]] = {starting, stop}
        await asyncio.wait(waited, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            return starting.result()
        reason = stop.result() if stop.done() else "timed_out"
        await _call_off(starting)
        return reason
    finally:
        starting.cancel()


async def _call_off(starting: "asyncio.Task[Attempt]") -> None:
    starting.cancel()
    await asyncio.wait({starting}, timeout=UNDO_SECONDS)
    if not starting.done():
        log.warning("start.not_called_off", seconds=UNDO_SECONDS)
    elif not starting.cancelled() and starting.exception() is None:
        await starting.result().release()  # it was faster
