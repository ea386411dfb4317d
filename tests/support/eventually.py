"""Wait for something to become true, without guessing how long it takes."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which what was waited for is not late but missing, however busy the machine is."""


@overload
async def eventually(
    check: Callable[..., Awaitable[T | None]], *, within: float = ..., every: float = ...
) -> T: ...


@overload
async def eventually(check: Callable[..., T | None], *, within: float = ..., every: float = ...) -> T: ...


async def eventually(check: Callable[[], Any], *, within: float = PATIENCE, every: float = 0.02) -> Any:
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
