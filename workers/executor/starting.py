"""Getting hold of an attempt (names, logins, hosts without room) takes time; to stop it takes none."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from contracts.causes import Retry
from workers.executor.steps.base import Attempt, StepFault
from workers.executor.waiting import StopReason

UNDO_SECONDS = 10.0
"""For a start that was called off to take back what it has begun on the target."""
RESUME_SECONDS = 120.0
"""How long a target that holds a left-behind command is looked for before nobody knows how it ended."""

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


async def once_reachable(
    resume: Callable[[], Awaitable[Attempt]],
    stop: "asyncio.Future[StopReason]",
    about: structlog.typing.FilteringBoundLogger,
) -> Attempt | StopReason:
    """The left-behind attempt that `resume` takes over, as soon as its target can be reached.

    Raises what `resume` raises when trying again is no use, is not wanted any more, or took too long.
    """
    deadline = time.monotonic() + RESUME_SECONDS
    delay = 1.0
    while True:
        try:
            return await resume()
        except StepFault as fault:
            if stop.done() and stop.result() == "let_go":
                return "let_go"
            if fault.cause.retry is not Retry.SAFE or time.monotonic() > deadline or stop.done():
                raise
        about.warning("attempt.waits_for_target", seconds=delay)
        await asyncio.wait({stop}, timeout=delay)
        delay = min(delay * 2, 15.0)
