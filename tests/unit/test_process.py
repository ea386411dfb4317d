"""How a worker process ends."""

import asyncio

from infra.process import _quietly


async def test_a_part_that_hangs_or_fails_does_not_keep_a_process_from_ending() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    async def fails() -> None:
        raise RuntimeError("no")

    async with asyncio.timeout(10):
        await _quietly(hangs, "hanging", seconds=0.01)
        await _quietly(fails, "failing", seconds=10)
