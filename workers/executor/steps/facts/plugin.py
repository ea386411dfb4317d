"""The `facts` plug-in: one script, its answer read and stored."""

from typing import ClassVar

from contracts.causes import CAUSES
from contracts.jobs.steps import CollectFacts
from contracts.targets.facts import read_facts
from workers.executor.steps.base import Attempt, Handle, NotResumable, StepContext, StepFault, StepOutcome
from workers.executor.steps.facts.scripts import POWERSHELL, SH
from workers.executor.steps.remote import Kept, Remote


class FactsAttempt:
    """Only reads: whatever goes wrong, nothing has been done to the target."""

    def __init__(self, context: StepContext, asking: Attempt, kept: Kept) -> None:
        self.handle: Handle = asking.handle
        self._context = context
        self._asking = asking
        self._kept = kept

    async def follow(self) -> StepOutcome:
        try:
            ended = await self._asking.follow()
        except StepFault as fault:
            fault.acted = False
            raise
        await self._context.output.write("stdout", self._kept.text().encode())
        await self._context.output.write("stderr", self._kept.text("stderr").encode())
        facts = read_facts(self._kept.text())
        if ended.outcome == "unknown" or ended.exit_code != 0 or "os_family" not in facts:
            detail = self._kept.last_words() or f"exit code {ended.exit_code}"
            words = {"detail": detail}
            return StepOutcome(outcome="failed", cause=CAUSES["facts_unreadable"], words=words)
        return StepOutcome(outcome="succeeded", outputs=facts, facts=facts)

    async def stop(self) -> bool:
        return await self._asking.stop()

    async def release(self) -> str | None:
        return await self._asking.release()

    async def detach(self) -> None:
        await self._asking.detach()


class FactsPlugin:
    """Implements `StepPlugin[CollectFacts]`."""

    type: ClassVar[str] = "facts"

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def start(self, spec: CollectFacts, context: StepContext) -> FactsAttempt:
        asking, kept = await self._remote.start(
            context, sh=SH, powershell=POWERSHELL, seconds=spec.timeout_sec
        )
        return FactsAttempt(context, asking, kept)

    async def resume(self, spec: CollectFacts, context: StepContext, handle: Handle) -> FactsAttempt:
        """What the lost worker heard is lost: remove its script from the target and ask again."""
        try:
            left, _ = await self._remote.resume(
                context, handle, sh=SH, powershell=POWERSHELL, seconds=spec.timeout_sec
            )
        except NotResumable:
            return await self.start(spec, context)
        await left.stop()
        await left.release()
        return await self.start(spec, context)

    async def tidy(self, spec: CollectFacts, context: StepContext, handle: Handle | None) -> None:
        await self._remote.tidy(context, handle)

    def leaves(self, spec: CollectFacts, context: StepContext) -> str:
        return self._remote.leaves(context)

    async def close(self) -> None:
        """The connections belong to the plug-ins that carry the scripts."""
