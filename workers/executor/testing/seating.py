"""The session that a test takes of its account: beside the steps', never beyond what the target allows."""

import asyncio
from typing import Protocol

from workers.executor.steps.base import OpenedCredential, StepFault, TargetView

WAIT_SECONDS = 5.0
"""For a step that is about to end; a person waits for the test."""
LOOK_SECONDS = 0.25


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
