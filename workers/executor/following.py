"""What becomes of an attempt that was got hold of: followed to its end, or stopped on its target."""

import asyncio
from dataclasses import dataclass

import structlog

from infra.outages import StillDown
from workers.executor.judging import Judge
from workers.executor.output import AttemptOutput
from workers.executor.steps.base import Attempt, Fenced, StepFault, StepOutcome
from workers.executor.verdicts import Ended, from_bug, from_fault, from_outcome, from_stop
from workers.executor.waiting import Limits, StopReason, last_words, until_told

STOP_SECONDS = 30.0
LAST_WORDS_SECONDS = 5.0


def never_acted(reason: StopReason, limits: Limits) -> Ended:
    """Told to stop while everything was being got ready: the target was never let act."""
    return from_stop(reason, verified=True, outcome=None, words={"detail": limits.named(reason)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """One attempt with its handle stored; `stop` may be told at any time."""

    attempt: Attempt
    output: AttemptOutput
    judge: Judge
    limits: Limits
    stop: "asyncio.Future[StopReason]"
    host: str
    resumed: bool
    """It was begun by another worker, so the target may have acted already."""
    log: structlog.typing.FilteringBoundLogger

    async def to_the_end(self) -> Ended | None:
        """How it ended; None when it was let go for another executor to take over."""
        told = self.stop.result() if self.stop.done() else None
        if told == "let_go":
            return None
        if told is not None and not self.resumed:
            return never_acted(told, self.limits)
        left = self.limits.seconds_left
        if told is None and left > 0:
            return await self._followed(left)
        # Following lets a command act that has not begun to: end it first.
        return await self._stopped(None, told or "timed_out")

    async def _followed(self, left: float) -> Ended | None:
        follow = asyncio.create_task(self.attempt.follow(), name="follow")
        try:
            told = await until_told(follow, self.stop, self.output, left=left, idle=self.limits.idle_seconds)
            if told is None:
                return await self._outcome_of(follow)
            return None if told == "let_go" else await self._stopped(follow, told)
        finally:
            if not follow.done():
                follow.cancel()
            await asyncio.gather(follow, return_exceptions=True)

    async def _outcome_of(self, follow: "asyncio.Task[StepOutcome]") -> Ended:
        try:
            return from_outcome(await self._judged(await follow))
        except StepFault as fault:
            return from_fault(self.limits.spec, fault)
        except (Fenced, StillDown):
            raise
        except Exception as error:
            self.log.exception("attempt.failed")
            return from_bug(error, acted=True)

    async def _judged(self, outcome: StepOutcome, *, stopped: bool = False) -> StepOutcome:
        """What the step makes of an end, once everything that was written has been looked at."""
        await self.output.finish()
        return self.judge.outcome(outcome, stopped=stopped)

    async def _stopped(self, follow: "asyncio.Task[StepOutcome] | None", reason: StopReason) -> Ended:
        """Stop the whole tree on the target and verify; a success that was faster stays one."""
        verified = False
        try:
            async with asyncio.timeout(STOP_SECONDS):
                verified = await self.attempt.stop()
        except Exception as error:
            self.log.warning("attempt.stop_failed", error=str(error)[:300])
        speaking = follow
        if follow is None and verified:
            speaking = asyncio.create_task(self.attempt.follow(), name="last-words")
        outcome = await last_words(speaking, LAST_WORDS_SECONDS if verified else 0.5)
        if outcome is not None:
            outcome = await self._judged(outcome, stopped=True)
        words = {"detail": self.limits.named(reason), "host": self.host}
        return from_stop(reason, verified=verified, outcome=outcome, words=words)
