"""Wait for something to become true, without guessing how long it takes."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    check: Callable[..., Awaitable[T | None]], *, within: float = ..., every: float = ...
) -> T: ...


@overload
async def eventually(check: Callable[..., T | None], *, within: float = ..., every: float = ...) -> T: ...


async def eventually(check: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """The first truthy answer of `check`; AssertionError with the last answer after `within` seconds."""
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
