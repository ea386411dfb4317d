"""The `wait.reboot` plug-in: note the start, give the order once, wait for another start."""

import asyncio
import time
from contextlib import suppress
from typing import ClassVar

from contracts.causes import CAUSES
from contracts.jobs.steps import WaitReboot
from workers.executor.steps.base import Attempt, Handle, NotResumable, StepContext, StepFault, StepOutcome
from workers.executor.steps.remote import Kept, Remote
from workers.executor.steps.wait_reboot.boots import ORDER_POWERSHELL, ORDER_SH, is_another_start
from workers.executor.steps.wait_reboot.probing import Prober

ORDER_SECONDS = 60.0
SETTLE_SECONDS = 5.0
TIDY_SECONDS = 12.0
KILLED_BY_SIGNAL = 128
"""Exit codes from here on: the order itself was ended by the going down."""


class Order:
    """The order to reboot, ready on the host or given; carried out once by whoever follows it."""

    def __init__(self, attempt: Attempt, kept: Kept) -> None:
        self.attempt = attempt
        self._kept = kept
        self._following: asyncio.Task[StepOutcome] | None = None
        self._released = False

    def give(self) -> None:
        self._following = asyncio.create_task(self.attempt.follow(), name="reboot order")

    @property
    def given(self) -> bool:
        return self._following is not None

    @property
    def refusal(self) -> str | None:
        """Why the host did not take it, once it has said so; a broken connection says nothing."""
        if self._following is None or not self._following.done() or self._following.cancelled():
            return None
        if self._following.exception() is not None:
            return None
        code = self._following.result().exit_code
        if not code or not 0 < code < KILLED_BY_SIGNAL:
            return None
        return self._kept.last_words() or f"exit code {code}"

    async def settle(self, seconds: float) -> None:
        """Give it so long to end by itself: most hosts take the order and only then go down."""
        if self._following is not None:
            await asyncio.wait({self._following}, timeout=seconds)

    @property
    def ended(self) -> bool:
        return self._following is not None and self._following.done()

    async def release(self) -> None:
        """Stop following and remove what the host has of it; once."""
        if not self._released:
            self._released = True
            await self._let_go()
            await self.attempt.release()

    async def detach(self) -> None:
        """Stop following and leave everything as it is."""
        if not self._released:
            await self._let_go()
            await self.attempt.detach()

    async def _let_go(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)


class RebootAttempt:
    """The handle holds the mark of the start before, and the handle of the order."""

    def __init__(
        self,
        spec: WaitReboot,
        context: StepContext,
        *,
        remote: Remote,
        prober: Prober,
        handle: Handle,
        order: Order | None,
    ) -> None:
        self.handle = handle
        self._remote = remote
        self._spec = spec
        self._context = context
        self._prober = prober
        self._before = str(handle["before"])
        self._order = order
        self._stopped = asyncio.Event()
        self._tidied = False

    async def follow(self) -> StepOutcome:
        began = time.monotonic()
        if self._order is not None:
            self._context.still_mine()
            self._order.give()
            await self._say("the order to reboot is given")
            await self._order.settle(SETTLE_SECONDS)
        told = "there"
        while not self._stopped.is_set():
            if self._order is not None and (refusal := self._order.refusal):
                words = {"detail": refusal}
                return StepOutcome(outcome="failed", cause=CAUSES["reboot_refused"], words=words)
            if self._order is not None and self._order.ended:
                await self._order.release()  # a target may allow a single session, which looking needs now
            look = await self._prober.look()
            seconds = time.monotonic() - began
            if look.mark is not None and is_another_start(self._before, look.mark):
                await self._say(f"it is back after {seconds:.1f} s")
                await self._tidy()
                return StepOutcome(outcome="succeeded", outputs=self._outputs(look.mark, seconds))
            found = "there" if look.mark is not None else "away"
            if found != told:
                told = found
                why = f" ({look.why})" if look.why else ", not restarted yet"
                await self._say(f"it is {found} after {seconds:.1f} s{why}")
            await self._pause()
        return StepOutcome(outcome="failed")

    def _outputs(self, after: str, seconds: float) -> dict[str, object]:
        return {
            "boot_before": self._before,
            "boot_after": after,
            "seconds": round(self._context.age_seconds + seconds, 1),
        }

    async def _tidy(self) -> None:
        """Remove what the host still has of us: it may have gone down while we cleaned up."""
        if self._order is not None:
            await self._order.release()
        with suppress(StepFault):
            if "order" in self.handle:
                await self._remote.tidy(self._context, self.handle["order"])
            await self._prober.tidy()
            self._tidied = True

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), self._spec.interval_sec)
        except TimeoutError:
            return

    async def _say(self, line: str) -> None:
        await self._context.output.write("stdout", f"{line}\n".encode())

    async def stop(self) -> bool:
        """An order that was taken cannot be called back, and leaves nothing running that could be stopped."""
        self._stopped.set()
        if self._order is None or not self._order.given or self._order.ended:
            return True
        try:
            return await self._order.attempt.stop()
        except StepFault:
            return False

    async def release(self) -> str | None:
        if not self._tidied:
            with suppress(TimeoutError):
                async with asyncio.timeout(TIDY_SECONDS):
                    await self._tidy()
        return None if self._tidied else "it was away when it was to be cleared up"

    async def detach(self) -> None:
        if self._order is not None:
            await self._order.detach()


class WaitRebootPlugin:
    """Implements `StepPlugin[WaitReboot]`."""

    type: ClassVar[str] = "wait.reboot"

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def start(self, spec: WaitReboot, context: StepContext) -> RebootAttempt:
        prober = Prober(self._remote, context)
        before = await prober.first()
        order = None
        if spec.reboot:
            attempt, kept = await self._remote.start(
                context, sh=ORDER_SH, powershell=ORDER_POWERSHELL, seconds=ORDER_SECONDS
            )
            order = Order(attempt, kept)
        handle = {"before": before} | ({"order": dict(order.attempt.handle)} if order else {})
        return RebootAttempt(spec, context, remote=self._remote, prober=prober, handle=handle, order=order)

    async def resume(self, spec: WaitReboot, context: StepContext, handle: Handle) -> RebootAttempt:
        """Wait on. The order is given only if the host still holds it, unbegun, from before."""
        prober = Prober(self._remote, context)
        before = str(handle["before"])
        order = None
        if "order" in handle:
            look = await prober.look()
            if look.mark is not None and not is_another_start(before, look.mark):
                order = await self._order_left(context, handle["order"])
        return RebootAttempt(spec, context, remote=self._remote, prober=prober, handle=handle, order=order)

    async def _order_left(self, context: StepContext, handle: Handle) -> Order | None:
        try:
            attempt, kept = await self._remote.resume(
                context, handle, sh=ORDER_SH, powershell=ORDER_POWERSHELL, seconds=ORDER_SECONDS
            )
        except (NotResumable, StepFault):
            return None
        return Order(attempt, kept)

    async def tidy(self, spec: WaitReboot, context: StepContext, handle: Handle | None) -> None:
        await self._remote.tidy(context, handle.get("order") if handle else None)
        await Prober(self._remote, context).tidy_all()

    def leaves(self, spec: WaitReboot, context: StepContext) -> str:
        return self._remote.leaves(context)

    async def close(self) -> None:
        """The connections belong to the plug-ins that carry the scripts."""
