"""Threads for libraries that block. Bounded and named: never the event loop's default pool."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class RanOut(RuntimeError):
    """A library let a `StopIteration` out: no future can carry one, whoever awaits it would wait for ever."""


class BlockingPool:
    """At most `size` blocking calls at once; more wait their turn. Threads start when first needed."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Begin the call now. Cancelling the future does not stop a call that has begun."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(
            self._executor, lambda: _without_stop_iteration(function, *args, **kwargs)
        )

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The call's result, or what it raised. Cancelling stops waiting, not the call."""
        return await self.submit(function, *args, **kwargs)

    def close(self) -> None:
        """Accept nothing more; calls under way end by themselves."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _without_stop_iteration(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return function(*args, **kwargs)
    except StopIteration as error:
        raise RanOut("a library looked for an item that is not there") from error
