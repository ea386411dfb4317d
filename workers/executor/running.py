"""The life of one attempt: get ready, store the handle, let it act, follow, settle, clean up."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

import orjson
import structlog
from pydantic import ValidationError

from contracts.causes import CAUSES, Retry
from contracts.errors import SealBroken
from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.steps import StepSpec
from contracts.limits import HANDLE_BYTES
from contracts.runs.states import TaskState
from contracts.targets.specs import SshSettings, WinrmSettings
from infra.outages import StillDown, is_outage
from workers.executor.masking import Masker
from workers.executor.output import AttemptOutput, Chunk
from workers.executor.steps.base import (
    Attempt,
    Fenced,
    NotResumable,
    OpenedCredential,
    StepContext,
    StepFault,
    StepOutcome,
    StepPlugin,
    TargetView,
)
from workers.executor.store import Claimed
from workers.executor.verdicts import Ended, from_fault, from_loss, from_outcome, from_stop

StopReason = Literal["cancelled", "timed_out", "worker_shutdown", "let_go"]

LOSSES_AT_MOST = 5
"""Workers that may be lost over one attempt: a step that kills its worker must not go on for ever."""
STOP_SECONDS = 30.0
LAST_WORDS_SECONDS = 5.0
RESUME_SECONDS = 120.0
"""How long a target that holds a left-behind command is looked for before nobody knows how it ended."""

log = structlog.get_logger()


class Ledger(Protocol):
    """Where an attempt writes what must not be lost; every method raises `Fenced` for a lost task."""

    async def store_handle(self, task: Claimed, handle: str) -> None: ...

    async def store_chunk(self, chunk: Chunk) -> None: ...

    async def stored_output(self, task: Claimed) -> tuple[int, dict[str, int]]: ...

    async def settle(
        self, task: Claimed, spec: StepSpec, ended: Ended, output: AttemptOutput | None
    ) -> None: ...


class Vault(Protocol):
    """Where secrets are opened, in this process's memory."""

    async def credential(self, task: Claimed) -> OpenedCredential | None: ...

    async def parameters(self, run_id: UUID) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every attempt of this executor shares."""

    ledger: Ledger
    vault: Vault
    plugins: Mapping[str, StepPlugin[Any]]
    still_mine: Callable[[], None]


class RunningAttempt:
    """One attempt under way. `ask_to_stop` may be called at any time, from anywhere in the loop."""

    def __init__(self, task: Claimed, definition: JobDefinition, around: Surroundings) -> None:
        self.task = task
        self.spec: StepSpec = definition.steps[task.step_no]
        self._has_secret_parameters = any(p.type == "secret" for p in definition.parameters.values())
        self._around = around
        self._stop: asyncio.Future[StopReason] = asyncio.get_running_loop().create_future()
        self._may_have_acted = task.handle is not None
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
            await self._run()
        except Fenced:
            self._log.warning("attempt.fenced")
            raise
        except Exception as error:
            if isinstance(error, StillDown) or is_outage(error):
                raise
            self._log.exception("attempt.failed")
            await self._settle(_bug(error, acted=self._may_have_acted), None)

    async def _run(self) -> None:
        if self.task.cancel_requested and self.task.handle is None:
            await self._settle(from_stop("cancelled", verified=True, outcome=None, words={}), None)
            return
        if self.task.losses > LOSSES_AT_MOST:
            await self._settle(self._lost_too_often(), None)
            return
        try:
            context, output = await self._context()
        except (SealBroken, StepFault, ValidationError) as error:
            await self._settle(_unready(self.spec, error), None)
            return
        try:
            attempt = await self._get_hold(context)
        except StepFault as fault:
            fault.acted = fault.acted or self.task.handle is not None
            await self._settle(from_fault(self.spec, fault), output)
        except NotResumable as loss:
            await self._settle(from_loss(self.spec, str(loss)), output)
        except Fenced:
            raise
        except Exception as error:
            self._log.exception("attempt.failed_to_start")
            await self._settle(_bug(error, acted=self._may_have_acted), output)
        else:
            await self._carry_through(attempt, output)

    def _lost_too_often(self) -> Ended:
        detail = f"the {self.task.losses}th over one attempt"
        return from_loss(self.spec, detail, acted=self.task.handle is not None)

    async def _get_hold(self, context: StepContext) -> Attempt:
        plugin = self._around.plugins[self.spec.type]
        if self.task.handle is None:
            return await plugin.start(self.spec, context)
        deadline = time.monotonic() + RESUME_SECONDS
        delay = 1.0
        while True:
            try:
                return await plugin.resume(self.spec, context, self.task.handle)
            except StepFault as fault:
                if fault.cause.retry is not Retry.SAFE or time.monotonic() > deadline or self._stop.done():
                    raise
            self._log.warning("attempt.waits_for_target", seconds=delay)
            await asyncio.wait({self._stop}, timeout=delay)
            delay = min(delay * 2, 15.0)

    async def _carry_through(self, attempt: Attempt, output: AttemptOutput) -> None:
        """Store the handle, follow to the end, settle, and only then remove what is left on the target."""
        try:
            if attempt.handle and attempt.handle != self.task.handle:
                await self._store_handle(attempt)
            self._may_have_acted = True
            ended = await self._follow(attempt)
            if ended is None:
                await output.abandon()
                await attempt.detach()
                return
            await self._settle(ended, output)
        except Exception:
            await output.abandon()
            await attempt.detach()
            raise
        await attempt.release()

    async def _store_handle(self, attempt: Attempt) -> None:
        handle = orjson.dumps(attempt.handle)
        if len(handle) > HANDLE_BYTES:
            raise ValueError(f"a handle of {len(handle)} bytes is over the limit of {HANDLE_BYTES}")
        await self._around.ledger.store_handle(self.task, handle.decode())

    async def _follow(self, attempt: Attempt) -> Ended | None:
        """How it ended; None when it was let go for another executor to take over."""
        if self._stop.done() and self.task.handle is None:
            return self._never_acted(self._stop.result())
        if self.task.cancel_requested:
            self.ask_to_stop("cancelled")
        left = self.spec.timeout_sec - self.task.age_seconds
        if left <= 0:
            self.ask_to_stop("timed_out")
        if self._stop.done():
            # Following lets a command act that has not begun to: end it first.
            reason = self._stop.result()
            return None if reason == "let_go" else await self._stop_on_target(attempt, None, reason)
        follow = asyncio.create_task(attempt.follow(), name="follow")
        try:
            waited: set[asyncio.Future[Any]] = {follow, self._stop}
            await asyncio.wait(waited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if follow.done():
                return await self._outcome_of(follow)
            reason = self._stop.result() if self._stop.done() else "timed_out"
            if reason == "let_go":
                return None
            return await self._stop_on_target(attempt, follow, reason)
        finally:
            if not follow.done():
                follow.cancel()
            await asyncio.gather(follow, return_exceptions=True)

    def _never_acted(self, reason: StopReason) -> Ended | None:
        """Told to stop while everything was being got ready: the target was never let act."""
        if reason == "let_go":
            return None
        return from_stop(reason, verified=True, outcome=None, words={"detail": reason})

    async def _outcome_of(self, follow: "asyncio.Task[StepOutcome]") -> Ended:
        try:
            return from_outcome(await follow)
        except StepFault as fault:
            return from_fault(self.spec, fault)
        except (Fenced, StillDown):
            raise
        except Exception as error:
            self._log.exception("attempt.failed")
            return _bug(error, acted=True)

    async def _stop_on_target(
        self, attempt: Attempt, follow: "asyncio.Task[StepOutcome] | None", reason: StopReason
    ) -> Ended:
        """Stop the whole tree on the target and verify; a success that was faster stays one."""
        verified = False
        try:
            async with asyncio.timeout(STOP_SECONDS):
                verified = await attempt.stop()
        except Exception as error:
            self._log.warning("attempt.stop_failed", error=str(error)[:300])
        last_words = follow
        if follow is None and verified:
            last_words = asyncio.create_task(attempt.follow(), name="last-words")
        outcome = await _last_words(last_words, LAST_WORDS_SECONDS if verified else 0.5)
        words = {"detail": f"{self.spec.timeout_sec:g}"} if reason == "timed_out" else {"detail": reason}
        return from_stop(reason, verified=verified, outcome=outcome, words=words | {"host": self._host()})

    async def _settle(self, ended: Ended, output: AttemptOutput | None) -> None:
        if output is not None:
            await output.finish()
        named = {"host": self._host(), "user": self._user()} | dict(ended.words)
        named_end = Ended(
            state=ended.state,
            exit_code=ended.exit_code,
            cause=ended.cause,
            words=named,
            outputs=ended.outputs,
        )
        if self.on_acted is not None:
            self.on_acted()
        await self._around.ledger.settle(self.task, self.spec, named_end, output)

    def _host(self) -> str:
        return str(self.task.target["hostname"]) if self.task.target else "this executor"

    def _user(self) -> str:
        return str(self.task.credential["username"]) if self.task.credential else "nobody"

    async def _context(self) -> tuple[StepContext, AttemptOutput]:
        task, vault = self.task, self._around.vault
        credential = await vault.credential(task)
        hidden = await vault.parameters(task.run_id) if self._has_secret_parameters else {}
        secrets = [*(credential.secrets.values() if credential else ()), *hidden.values()]
        begun = task.reattached or task.handle is not None
        seq, positions = await self._around.ledger.stored_output(task) if begun else (0, {})
        output = AttemptOutput(
            task_id=task.id,
            run_id=task.run_id,
            attempt=task.attempt,
            fence=task.fence,
            masker=Masker(secrets),
            store=self._around.ledger.store_chunk,
            next_seq=seq,
            positions=positions,
        )
        context = StepContext(
            run_id=task.run_id,
            task_id=task.id,
            attempt=task.attempt,
            step=step_name(self.spec, task.step_no),
            target=_target_view(task.target),
            credential=credential,
            parameters=task.parameters | hidden,
            secret_parameters=frozenset(hidden),
            output=output,
            still_mine=self._around.still_mine,
            age_seconds=task.age_seconds,
        )
        return context, output


async def _last_words(follow: "asyncio.Task[StepOutcome] | None", seconds: float) -> StepOutcome | None:
    """What a stopped attempt still has to say, if it says anything in time."""
    if follow is None:
        return None
    await asyncio.wait({follow}, timeout=seconds)
    if not follow.done():
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)
    spoke = not follow.cancelled() and follow.exception() is None
    return follow.result() if spoke else None


def _target_view(target: Mapping[str, Any] | None) -> TargetView | None:
    if target is None:
        return None
    return TargetView(
        id=UUID(target["id"]),
        name=target["name"],
        hostname=target["hostname"],
        os=target["os"],
        winrm=WinrmSettings.model_validate(target["winrm"]),
        ssh=SshSettings.model_validate(target["ssh"]),
    )


def _unready(spec: StepSpec, error: Exception) -> Ended:
    if isinstance(error, StepFault):
        return from_fault(spec, error)
    code = "credential_unreadable" if isinstance(error, SealBroken) else "step_invalid"
    return Ended(state=TaskState.FAILED, cause=CAUSES[code], words={"detail": str(error)[:300]})


def _bug(error: Exception, *, acted: bool) -> Ended:
    """Our own mistake: where the target may have acted, nobody knows how that ended."""
    return Ended(
        state=TaskState.UNKNOWN if acted else TaskState.FAILED,
        cause=CAUSES["internal"],
        words={"detail": type(error).__name__},
    )
