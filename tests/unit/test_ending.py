"""How the parts of a process end."""

import asyncio

from infra.ending import cancelled, quietly
from tests.support.eventually import PATIENCE


async def test_a_part_that_hangs_or_fails_does_not_keep_a_process_from_ending() -> None:
    let_go = asyncio.Event()

    async def hangs() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue  # as a library does that takes it for something else

    async def fails() -> None:
        raise RuntimeError("no")

    async with asyncio.timeout(PATIENCE):
        await quietly(hangs, "hanging", seconds=0.01)
        await quietly(fails, "failing")
    let_go.set()


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    swallowed = 0

    async def swallows_the_first() -> None:
        nonlocal swallowed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(swallows_the_first())
    await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE):
        await cancelled(task)

    assert swallowed == 1
    assert task.cancelled()
