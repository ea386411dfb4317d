"""What a test has to wait for before it logs in: a session of its account, and its turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol
from uuid import UUID

from workers.executor.logins import FirstLogins
from workers.executor.steps.base import OpenedCredential, StepFault, TargetView

WAIT_SECONDS = 5.0
"""For a step that is about to end; a person waits for the test."""
LOOK_SECONDS = 0.25
TURN_SECONDS = 60.0
"""At most, for others that try the same credential for the first time."""


class Seat(Protocol):
    """A place among the sessions of one account on one target."""

    async def take(self) -> bool: ...

    async def leave(self) -> None: ...


class Unseated:
    """For a test that goes elsewhere than its target is: nobody counts there."""

    async def take(self) -> bool:
        return True

    async def leave(self) -> None:
        """There is nothing to give back."""


async def sit_down(seat: Seat, target: TargetView, credential: OpenedCredential, most: int) -> None:
    """Wait a little for a free place. Raises `StepFault` when there is none among `most`."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            taken = await seat.take()
            while not taken:
                await asyncio.sleep(LOOK_SECONDS)
                taken = await seat.take()
    except TimeoutError:
        detail = f"max_concurrent {most}"
        raise StepFault(
            "no_free_session", host=target.hostname, user=credential.username, detail=detail
        ) from None


class Turns:
    """The logins of one test, each when its turn has come. Implements `steps.logging_in.Logins`.

    What a test waits for others takes nothing of its own time. A test that goes elsewhere than its target is
    (`elsewhere`) waits only for the jump hosts on its way: what is heard there says nothing of the target.
    """

    def __init__(self, logins: FirstLogins, *, elsewhere: bool = False, even_if_held: bool = False) -> None:
        self._logins = logins
        self._elsewhere = elsewhere
        self._even_if_held = even_if_held
        self.target_id: UUID | None = None
        """Of the test; what it is asked before it is known is a jump host."""
        self.limit: asyncio.Timeout | None = None

    @asynccontextmanager
    async def first(
        self, target: TargetView, credential: OpenedCredential, *, run_id: UUID | None = None
    ) -> AsyncIterator[None]:
        of_the_test = target.id == self.target_id
        if of_the_test and self._elsewhere:
            yield
            return
        forced = of_the_test and self._even_if_held
        async with AsyncExitStack() as stack:
            turn = self._logins.first(target, credential, run_id=run_id, even_if_held=forced)
            await self._waited_for(stack.enter_async_context(turn))
            yield

    async def _waited_for(self, turn: Awaitable[None]) -> None:
        now, limit = asyncio.get_running_loop().time, self.limit
        ends = limit.when() if limit is not None else None
        if limit is None or ends is None:
            await turn
            return
        left = ends - now()
        limit.reschedule(now() + TURN_SECONDS)
        await turn
        limit.reschedule(now() + left)
