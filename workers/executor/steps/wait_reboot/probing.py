"""Looking whether a host is there, and which start of it this is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from workers.executor.steps.base import Attempt, StepContext, StepFault
from workers.executor.steps.remote import Kept, Remote
from workers.executor.steps.undoing import to_its_end
from workers.executor.steps.wait_reboot.boots import ASK_POWERSHELL, ASK_SH, mark_in

LOOKS = UUID("0b6c1a4e-5d1f-5c39-8f1e-6a7d2c9e4b13")
PROBE_SECONDS = 30.0
REJECTIONS_AT_MOST = 2
"""A host that starts may reject logins for a while (pam_nologin); more tries could lock the account."""
AWAY = frozenset(
    {
        "name_unresolved",
        "unreachable",
        "service_unavailable",
        "connection_lost",
        "shell_vanished",
        "quota",
        "shell_unusable",
        "workspace_unusable",
        "remote_fault",
    }
)


@dataclass(slots=True)
class Look:
    """What a look found: the mark of the present start, or why there was no answer."""

    mark: str | None
    why: str = ""


class Prober:
    """Asks a host which start this is, each time by a login and a command of its own.

    The looks of a step have one name on the host, whichever executor makes them: what one that was cut off
    has left there is removed by the next. It is not the step's own name, so that what stands ready on the
    host for the step is not swept away.
    """

    def __init__(self, remote: Remote, context: StepContext) -> None:
        self._remote = remote
        self.context = replace(context, task_id=uuid5(LOOKS, str(context.task_id)), take_overs=0)
        """The step's, under the name of its looks."""
        self._rejections = 0
        self._left = context.take_overs > 0
        """The last look was cut off: it may have left something on the host."""

    async def first(self) -> str:
        """The mark of the present start. Raises `StepFault`."""
        look = await self._ask(lambda _: False)
        if look.mark is None:
            raise StepFault("shell_unusable", host=self._host, user="the account", detail=look.why)
        return look.mark

    async def look(self) -> Look:
        """The same while the host comes and goes. Raises `StepFault` for what waiting does not mend."""
        look = await self._ask(self._passes, restarting=True)
        if look.mark is not None:
            self._rejections = 0
        return look

    async def tidy(self) -> None:
        """Remove what a look has left that nobody came after. Raises `StepFault`."""
        if self._left:
            await self.tidy_all()
            self._left = False

    async def tidy_all(self) -> None:
        """Remove what looks of any executor have left. Raises `StepFault`."""
        await self._remote.tidy(self.context, None)

    @property
    def _host(self) -> str:
        return self.context.target.hostname if self.context.target else "the target"

    def _passes(self, fault: StepFault) -> bool:
        if fault.cause.code == "auth_rejected":
            self._rejections += 1
            return self._rejections <= REJECTIONS_AT_MOST
        return fault.cause.code in AWAY

    async def _ask(self, passes: Callable[[StepFault], bool], *, restarting: bool = False) -> Look:
        context = replace(self.context, restarting=restarting)
        try:
            async with asyncio.timeout(PROBE_SECONDS) as limit:
                self._left = True
                attempt, kept = await self._remote.start(
                    context, sh=ASK_SH, powershell=ASK_POWERSHELL, seconds=PROBE_SECONDS
                )
                return await self._answer(attempt, kept, limit)
        except StepFault as fault:
            fault.acted = False
            if not passes(fault):
                raise
            return Look(None, str(fault.words.get("detail") or fault.cause.code))
        except TimeoutError:
            return Look(None, f"no answer within {PROBE_SECONDS:g} s")

    async def _answer(self, attempt: Attempt, kept: Kept, limit: asyncio.Timeout) -> Look:
        """What the host says; the look is over then, or let go of when the host went away meanwhile."""
        try:
            await attempt.follow()
        except asyncio.CancelledError:
            await to_its_end(attempt.detach() if limit.expired() else attempt.release())
            raise
        except BaseException:
            await attempt.detach()
            raise
        await attempt.release()
        self._left = False
        mark = mark_in(kept.text())
        return Look(mark, "" if mark else kept.last_words() or "it told nothing")
