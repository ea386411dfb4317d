"""Wait for something to become true, without guessing how long it takes."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(check: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """The first truthy answer of `check`, awaited if it is awaitable.

    AssertionError with the last answer after `within` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        answer = check()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if loop.time() > deadline:
            raise AssertionError(f"still {value!r} after {within} s")
        await asyncio.sleep(every)
