"""One attempt of `ssh.exec`: let it act, follow its output, stop it, clean up after it."""

import asyncio
from dataclasses import dataclass, field

import structlog

from contracts.causes import CAUSES
from contracts.jobs.steps import SshCommand
from workers.executor.steps.base import Handle, StepContext, StepFault, StepOutcome, Stream
from workers.executor.steps.ssh_exec.beginning import look_up
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.elevation import open_wire
from workers.executor.steps.ssh_exec.faults import fault, said_by, words
from workers.executor.steps.ssh_exec.looks import Looks
from workers.executor.steps.ssh_exec.marks import Mark
from workers.executor.steps.ssh_exec.stopper import DROP, STOP
from workers.executor.steps.ssh_exec.wire import Wire
from workers.executor.steps.ssh_exec.wrapper import OUTPUT_LIMIT

STOP_SECONDS = 18.0
CLEAN_UP_SECONDS = 10.0
NO_CODE = "-"
"""What the wrapper says when whoever was to write the exit code down was ended before it could."""
_WAITS = (0.0, 0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Between tries to find a lost host again, the last one repeated."""

_log = structlog.get_logger(__name__)


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Progress:
    """What one connection has brought so far."""

    begun: set[Stream] = field(default_factory=lambda: {"stdout"})
    ended: set[Stream] = field(default_factory=set)
    news: bool = False
    """Output has come since the last look."""
    verdict: tuple[str, ...] = ()
    quiet: bool = False
    """Whatever follows the command on the target has said its last word."""


class Losses:
    """How long and how often a connection may be lost before we give up on the host."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._first: float | None = None
        self._waits = iter(_WAITS)

    def add(self, since: float, *, useful: bool) -> None:
        """A connection made at `since` broke; one that was `useful`, or lasted, starts a new count."""
        now = _now()
        if self._first is None or useful or now - since > self._patience:
            self._first = now
            self._waits = iter(_WAITS)

    def wait(self) -> float:
        """Seconds before the next try."""
        if self._first is None:
            self._first = _now()
        return next(self._waits, _WAITS[-1])

    def over(self) -> bool:
        return self._first is not None and _now() - self._first > self._patience


class SshAttempt:
    """Promises what `Attempt` does."""

    def __init__(
        self,
        spec: SshCommand,
        context: StepContext,
        lease: Lease,
        folder: str,
        wire: Wire,
        *,
        reconnect_seconds: float,
    ) -> None:
        self.handle: Handle = {"folder": folder}
        self.acted = False
        """The target may have begun to act."""
        self._spec = spec
        self._context = context
        self._lease = lease
        self._folder = folder
        self._wire: Wire | None = wire
        self._wire_takes_orders = True
        self._quiet = False
        """The wrapper has said its last word about this attempt; it can serve another."""
        self._reconnect_seconds = reconnect_seconds
        self._positions: dict[Stream, int] = {
            "stdout": context.output.position("stdout"),
            "stderr": context.output.position("stderr"),
        }

    async def follow(self) -> StepOutcome:
        losses = Losses(self._reconnect_seconds)
        while True:
            connected = self._wire is not None and self._wire_takes_orders
            if not connected and not await self._reconnect(losses):
                return self._unknown("its folder has gone")
            before, since = sum(self._positions.values()), _now()
            try:
                verdict = await self._listen()
            except ChannelClosed as lost:
                _log.info("ssh.connection_lost", task_id=str(self._context.task_id), reason=lost.reason)
                self._drop_wire()
                losses.add(since, useful=sum(self._positions.values()) > before)
            else:
                return await self._outcome(verdict)

    async def stop(self) -> bool:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                try:
                    return await self._stop_once()
                except ChannelClosed:
                    # The connection turned out to be dead only now; a second try has a new one.
                    return await self._stop_once()
        except (StepFault, ChannelClosed, TimeoutError) as error:
            _log.warning("ssh.stop_failed", task_id=str(self._context.task_id), reason=str(error))
            return False

    async def release(self) -> str | None:
        why: str | None = None
        try:
            async with asyncio.timeout(CLEAN_UP_SECONDS):
                await self._remove_folder()
        except (StepFault, ChannelClosed, TimeoutError) as error:
            why = said_by(error)
        self._drop_wire()
        self._lease.release()
        return why

    async def detach(self) -> None:
        self._drop_wire()
        self._lease.release()

    # -- following

    async def _listen(self) -> tuple[str, ...]:
        """Let the command act and pass its output on to the end. Raises `ChannelClosed`."""
        wire = self._wire
        if wire is None:
            raise ChannelClosed("not connected")
        self._context.still_mine()
        self._wire_takes_orders = False
        wire.send(f"go {self._positions['stdout']} {self._positions['stderr']}")
        self.acted = True
        progress, looks = Progress(), Looks(wire)
        looks.begin()
        try:
            while len(progress.ended) < len(self._positions):
                stream, found = await wire.next()
                if isinstance(found, Mark):
                    self._note(progress, looks, stream, found)
                elif stream in progress.begun:
                    progress.news = True
                    await self._context.output.write(stream, found)
                    self._positions[stream] += len(found)
        finally:
            looks.close()
        self._wire_takes_orders = True
        self._quiet = progress.quiet
        return progress.verdict

    @staticmethod
    def _note(progress: Progress, looks: Looks, stream: Stream, mark: Mark) -> None:
        match mark.words:
            case ("begin",):
                progress.begun.add("stderr")
            case ("ended",):
                progress.quiet = True
                looks.now()
            case ("looked", state):
                looks.answered(exited=state == "exited", news=progress.news)
                progress.news = False
            case verdict:
                progress.ended.add(stream)
                if stream == "stdout":
                    progress.verdict = verdict
                    progress.quiet |= verdict[0] == "told"

    async def _outcome(self, verdict: tuple[str, ...]) -> StepOutcome:
        kind, code, why, *cut = verdict
        for stream in cut:
            reason = f"only the first {OUTPUT_LIMIT // 2**20} MiB were kept on the target"
            await self._context.output.mark_incomplete("stderr" if stream == "stderr" else "stdout", reason)
        if kind == "vanished" or code == NO_CODE:
            return self._unknown("no exit code was left behind")
        exit_code = int(code)
        if why in {"path_missing", "path_denied"}:
            return StepOutcome(
                outcome="failed", cause=CAUSES[why], words=self._words(f"cwd {self._spec.cwd}")
            )
        if exit_code == 0:
            return StepOutcome(outcome="succeeded", exit_code=0)
        cause, told = CAUSES["exit_code"], self._words(exit_code)
        return StepOutcome(outcome="failed", exit_code=exit_code, cause=cause, words=told)

    def _unknown(self, detail: str) -> StepOutcome:
        return StepOutcome(outcome="unknown", cause=CAUSES["shell_vanished"], words=self._words(detail))

    def _words(self, detail: object) -> dict[str, object]:
        return words(self._lease.target, self._lease.credential, detail)

    def _fault(self, code: str, detail: object, *, acted: bool = False) -> StepFault:
        return fault(code, self._lease.target, self._lease.credential, detail, acted=acted)

    async def _reconnect(self, losses: Losses) -> bool:
        """A new wire; False when the folder has gone. Raises `StepFault` when the host stays away."""
        self._drop_wire()
        while True:
            await asyncio.sleep(losses.wait())
            try:
                wire, state = await look_up(self._lease, self._spec, self._folder)
            except StepFault as missed:
                if missed.cause.code != "unreachable" or losses.over():
                    raise self._given_up(missed) from None
                continue
            if state == "missing":
                wire.close()
                return False
            if losses.over():
                wire.close()
                raise self._given_up(self._fault("unreachable", "the connection breaks again and again"))
            self._wire, self._wire_takes_orders = wire, True
            return True

    def _given_up(self, missed: StepFault) -> StepFault:
        if not self.acted:
            return missed
        detail = missed.words.get("detail") or missed.cause.code
        return self._fault("connection_lost", detail, acted=True)

    def _drop_wire(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire, self._wire_takes_orders = None, False

    # -- ending

    async def _stop_once(self) -> bool:
        wire = await open_wire(self._lease, STOP, self._spec.sudo, spare=True)
        try:
            wire.send(wire.nonce, self._folder)
            answer = await wire.answer(within=STOP_SECONDS)
        finally:
            wire.close()
        return answer[:1] == ("gone",)

    async def _remove_folder(self) -> None:
        if self._wire is not None and self._wire_takes_orders:
            try:
                await self._drop_through(self._wire)
            except ChannelClosed:
                self._drop_wire()
            else:
                return
        wire = await open_wire(self._lease, DROP, self._spec.sudo, spare=True)
        try:
            wire.send(self._folder)
            await wire.finish(within=CLEAN_UP_SECONDS)
        finally:
            wire.close()

    async def _drop_through(self, wire: Wire) -> None:
        """Have the wrapper remove its folder. Raises `ChannelClosed` and `TimeoutError`."""
        keep = self._quiet and wire.parks
        wire.send("drop keep" if keep else "drop")
        await wire.answer(within=CLEAN_UP_SECONDS)
        if keep:
            wire.park()
            self._wire = None
