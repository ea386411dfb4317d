"""The life of one attempt: get ready, store the handle, let it act, follow, settle, clean up."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import orjson
import structlog
from pydantic import ValidationError

from contracts.errors import SealBroken
from contracts.jobs.definition import JobDefinition
from contracts.jobs.steps import StepSpec
from contracts.limits import HANDLE_BYTES
from contracts.runs.states import TASK_TERMINAL
from contracts.targets.seats import protocol_of
from infra.outages import StillDown, is_outage
from workers.executor.following import Following, never_acted
from workers.executor.holding import Claimed
from workers.executor.judging import Judge
from workers.executor.logins import LoginKey, Turn
from workers.executor.masking import masker_of
from workers.executor.output import AttemptOutput
from workers.executor.preparing import Prepared, prepared
from workers.executor.starting import once_reachable, unless_told
from workers.executor.steps.base import (
    Attempt,
    Fenced,
    NotResumable,
    StepContext,
    StepFault,
)
from workers.executor.surroundings import Surroundings
from workers.executor.tidying import clear_up, leave_behind
from workers.executor.verdicts import (
    Ended,
    from_bug,
    from_fault,
    from_loss,
    from_stop,
    from_unready,
    task_state,
)
from workers.executor.waiting import Limits, StopReason

LOSSES_AT_MOST = 5
"""Workers that may be lost over one attempt: a step that kills its worker must not go on for ever."""

log = structlog.get_logger()


class RunningAttempt:
    """One attempt under way. `ask_to_stop` may be called at any time, from anywhere in the loop."""

    def __init__(self, task: Claimed, definition: JobDefinition, around: Surroundings) -> None:
        self.task = task
        self._definition = definition
        self.spec: StepSpec = definition.steps[task.step_no]
        self._judge = Judge(self.spec)
        self._around = around
        self._masker = masker_of(())
        self._stop: asyncio.Future[StopReason] = asyncio.get_running_loop().create_future()
        self._may_have_acted = task.handle is not None
        self._got_hold = self._settled = self._over = False
        self._stays: str | None = None
        """Why something may have stayed on the target, when that is so."""
        self._limits = Limits.of(self.spec, task.age_seconds)
        self._turn: Turn | None = None
        self.on_acted: Callable[[], None] | None = None
        """Called once the target has been dealt with and only our own books remain to be written."""
        self._log = log.bind(run_id=str(task.run_id), task_id=str(task.id), attempt=task.attempt)

    def ask_to_stop(self, reason: StopReason) -> None:
        if not self._stop.done():
            self._stop.set_result(reason)

    async def run(self) -> None:
        """Bring the attempt to its end, or let it go.

        Raises `Fenced` when the task may no longer be ours, an outage that nothing could be written in, and
        what is wrong with us when not even that could be settled.
        """
        try:
            await self._guarded()
            begun = self.task.handle is not None or self.task.reattached
            if self._settled and not self._got_hold and begun:  # by holders before us
                self._stays = await clear_up(self._ended_task, self._definition, self._around)
        finally:
            if self.task.target is not None and self.task.credential is not None:
                await self._leave()

    @property
    def _ended_task(self) -> Claimed:
        return replace(self.task, over=self._over)

    async def _leave(self) -> None:
        """Give the session back; what may have stayed on the target, somebody goes back for."""
        if self._stays is None:
            await self._around.ledger.leave(self.task)
        else:
            await leave_behind(self.task, self._definition, self._around, self._stays)

    async def _guarded(self) -> None:
        try:
            await self._run()
        except Fenced:
            self._log.warning("attempt.fenced")
            raise
        except Exception as error:
            if isinstance(error, StillDown) or is_outage(error):
                raise
            self._log.exception("attempt.failed")
            await self._settle(from_bug(error, acted=self._may_have_acted), None)

    async def _run(self) -> None:
        if self.task.cancel_requested and self.task.handle is None:
            await self._settle(from_stop("cancelled", verified=True, outcome=None, words={}), None)
            return
        if self.task.losses > LOSSES_AT_MOST:
            await self._settle(self._lost_too_often(), None)
            return
        try:
            ready = await prepared(self.task, self._definition, self.spec, self._judge, self._around)
        except (SealBroken, StepFault, ValidationError) as error:
            await self._settle(from_unready(self.spec, error), None)
            return
        self._masker = ready.masker
        attempt = await self._begun(ready)
        if attempt is not None:
            await self._carry_through(attempt, ready.output)

    def _lost_too_often(self) -> Ended:
        detail = f"the {self.task.losses}th over one attempt"
        return from_loss(self.spec, detail, acted=self.task.handle is not None)

    async def _begun(self, ready: Prepared) -> Attempt | None:
        """The attempt, got hold of; None when it ended or was let go before that."""
        output = ready.output
        try:
            hold = await self._get_hold(ready.context)
        except StepFault as fault:
            fault.acted = fault.acted or self.task.handle is not None
            await self._settle(from_fault(self.spec, fault), output)
        except NotResumable as loss:
            await self._settle(from_loss(self.spec, str(loss)), output)
        except Fenced:
            raise
        except Exception as error:
            if isinstance(error, StillDown) or is_outage(error):
                raise
            self._log.exception("attempt.failed_to_start")
            await self._settle(from_bug(error, acted=self._may_have_acted), output)
        else:
            if not isinstance(hold, str):
                return hold
            if hold == "let_go":
                await output.abandon()
            else:
                await self._settle(never_acted(hold, self._limits), output)
        finally:
            if self._turn is not None:
                await self._turn.leave()
        return None

    async def _get_hold(self, context: StepContext) -> Attempt | StopReason:
        if self.task.handle is None:
            return await unless_told(self._start(context), self._stop, left=self._limits.seconds_left)
        plugin, handle = self._around.plugins[self.spec.type], self.task.handle
        return await once_reachable(lambda: plugin.resume(self.spec, context, handle), self._stop, self._log)

    async def _start(self, context: StepContext) -> Attempt:
        """Get everything ready; a login that nobody knows to be good yet is tried after the others."""
        plugin, logins, key = self._around.plugins[self.spec.type], self._around.logins, self._login_key
        if key is None:
            return await plugin.start(self.spec, context)
        self._turn = await logins.turn(key)
        if self._turn.doubted and (reason := await logins.held_back(key)):
            raise StepFault("credential_held", detail=reason)
        try:
            attempt = await plugin.start(self.spec, context)
        except StepFault as fault:
            logins.heard(key, fault.cause.code)
            raise
        logins.heard(key, None)
        return attempt

    @property
    def _login_key(self) -> LoginKey | None:
        """None for a step that does not log in, or over connections that see to it by themselves (SSH)."""
        target, credential = self.task.target, self.task.credential
        if target is None or credential is None or protocol_of(self.spec, target["os"]) != "winrm":
            return None
        return UUID(str(target["id"])), credential["credential_id"], credential["credential_version"]

    async def _carry_through(self, attempt: Attempt, output: AttemptOutput) -> None:
        """Store the handle, follow to the end, settle, and only then remove what is left on the target."""
        self._got_hold = True
        try:
            if attempt.handle and attempt.handle != self.task.handle:
                await self._store_handle(attempt)
            self._may_have_acted = True
            if self.task.cancel_requested:
                self.ask_to_stop("cancelled")
            ended = await self._following(attempt, output).to_the_end()
            if ended is None:
                await output.abandon()
                await attempt.detach()
                return
            await self._settle(ended, output)
        except Exception:
            await output.abandon()
            await attempt.detach()
            raise
        self._stays = await attempt.release()

    def _following(self, attempt: Attempt, output: AttemptOutput) -> Following:
        return Following(
            attempt=attempt, output=output, judge=self._judge, limits=self._limits, stop=self._stop,
            host=self.task.host, resumed=self.task.handle is not None, log=self._log,
        )  # fmt: skip

    async def _store_handle(self, attempt: Attempt) -> None:
        handle = orjson.dumps(attempt.handle)
        if len(handle) > HANDLE_BYTES:
            raise ValueError(f"a handle of {len(handle)} bytes is over the limit of {HANDLE_BYTES}")
        await self._around.ledger.store_handle(self.task, handle.decode())

    async def _settle(self, ended: Ended, output: AttemptOutput | None) -> None:
        if output is not None:
            await output.finish()
        named = {"host": self.task.host, "user": self.task.user} | dict(ended.words)
        named_end = Ended(
            state=ended.state,
            exit_code=ended.exit_code,
            cause=ended.cause,
            words=self._masker.mask_all(named),
            outputs=self._masker.mask_all(ended.outputs),
            facts=self._masker.mask_all(ended.facts),
        )
        if self.on_acted is not None:
            self.on_acted()
        await self._around.ledger.settle(self.task, self.spec, named_end, output)
        self._settled = True
        self._over = task_state(self.spec, self.task.attempt, named_end) in TASK_TERMINAL
