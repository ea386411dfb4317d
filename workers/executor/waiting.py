"""How long a command is followed: until it ends, somebody says stop, or its time or its silence is over."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Literal, Self

from contracts.jobs.steps import ExecSpec, StepSpec
from workers.executor.output import AttemptOutput
from workers.executor.steps.base import StepOutcome

StopReason = Literal["cancelled", "timed_out", "idle_timed_out", "worker_shutdown", "let_go"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one attempt of a step may take, and be silent."""

    spec: StepSpec
    deadline: float
    """On the monotonic clock of this process."""

    @classmethod
    def of(cls, spec: StepSpec, age_seconds: float) -> Self:
        """Of an attempt that began `age_seconds` ago, on whatever worker."""
        return cls(spec=spec, deadline=time.monotonic() + spec.timeout_sec - age_seconds)

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    @property
    def idle_seconds(self) -> float | None:
        return self.spec.idle_timeout_sec if isinstance(self.spec, ExecSpec) else None

    def named(self, reason: StopReason) -> str:
        """The seconds that were over, or the reason itself."""
        seconds = {"timed_out": self.spec.timeout_sec, "idle_timed_out": self.idle_seconds}.get(reason)
        return reason if seconds is None else f"{seconds:g}"


async def until_told(
    follow: "asyncio.Task[StepOutcome]",
    stop: "asyncio.Future[StopReason]",
    output: AttemptOutput,
    *,
    left: float,
    idle: float | None,
) -> StopReason | None:
    """None once the command has ended, otherwise why it has to be stopped.

    `left` and `idle` in seconds: of the attempt, and of silence on both streams. A silence begins with this
    call, also for a command that another worker has begun: what it wrote last may be lost.
    """
    began = time.monotonic()
    waited: set[asyncio.Future[Any]] = {follow, stop}
    while True:
        now = time.monotonic()
        left_now = began + left - now
        silence_left = float("inf") if idle is None else max(began, output.last_written) + idle - now
        if follow.done():
            return None
        if stop.done():
            return stop.result()
        if left_now <= 0:
            return "timed_out"
        if silence_left <= 0:
            return "idle_timed_out"
        await asyncio.wait(waited, timeout=min(left_now, silence_left), return_when=asyncio.FIRST_COMPLETED)


async def last_words(follow: "asyncio.Task[StepOutcome] | None", seconds: float) -> StepOutcome | None:
    """What a stopped attempt still has to say, if it says anything in time."""
    if follow is None:
        return None
    await asyncio.wait({follow}, timeout=seconds)
    if not follow.done():
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)
    spoke = not follow.cancelled() and follow.exception() is None
    return follow.result() if spoke else None
