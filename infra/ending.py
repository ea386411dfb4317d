"""Ending the parts of a process: each gets its time, and none can keep the process from ending."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

END_SECONDS = 15.0
"""For one part to end in; leases and looks make sure that nothing hangs on a process that did not."""

log = structlog.get_logger()


async def quietly(step: Callable[[], Awaitable[object]], what: str, *, seconds: float = END_SECONDS) -> None:
    """Await `step`; go on when it fails, and without it when it takes longer than `seconds`."""

    async def run() -> None:
        await step()

    task = asyncio.create_task(run(), name=f"end {what}")
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        log.error("process.part_hangs", what=what, seconds=seconds)
        task.cancel()
    elif not task.cancelled() and (error := task.exception()):
        log.error("process.end_failed", what=what, exc_info=error)


async def cancelled(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks until they end: a library may take a cancellation for an error of its connection."""
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=1)
    await asyncio.gather(*tasks, return_exceptions=True)
