"""`wait`: let time pass. Needs no target; a wait that was left behind goes on where it was."""

import asyncio
from typing import ClassVar

from contracts.jobs.steps import Wait
from workers.executor.steps.base import Handle, StepContext, StepOutcome


class WaitAttempt:
    def __init__(self, seconds: float) -> None:
        self.handle: Handle = {}
        self._seconds = seconds
        self._stopped = asyncio.Event()

    async def follow(self) -> StepOutcome:
        if self._seconds > 0:
            try:
                await asyncio.wait_for(self._stopped.wait(), self._seconds)
            except TimeoutError:
                return StepOutcome(outcome="succeeded")
            return StepOutcome(outcome="failed")
        return StepOutcome(outcome="succeeded")

    async def stop(self) -> bool:
        self._stopped.set()
        return True

    async def release(self) -> None:
        """Nothing is left anywhere."""

    async def detach(self) -> None:
        """Nothing is held anywhere."""


class WaitPlugin:
    type: ClassVar[str] = "wait"

    async def start(self, spec: Wait, context: StepContext) -> WaitAttempt:
        return WaitAttempt(spec.seconds - context.age_seconds)

    async def resume(self, spec: Wait, context: StepContext, handle: Handle) -> WaitAttempt:
        return await self.start(spec, context)

    async def tidy(self, spec: Wait, context: StepContext, handle: Handle | None) -> None:
        """Nothing is left anywhere."""

    def leaves(self, spec: Wait, context: StepContext) -> str:
        return "nothing"

    async def close(self) -> None:
        """Holds nothing."""
