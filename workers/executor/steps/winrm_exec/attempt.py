"""One try of one step: open the gate, receive until done, stop, let go."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace

from contracts.causes import CAUSES
from workers.executor.steps.base import Handle, StepContext, StepOutcome
from workers.executor.steps.winrm.connections import Connection, Troubled, said_by
from workers.executor.steps.winrm.endpoint import Limits
from workers.executor.steps.winrm.faults import Diagnosis, Situation
from workers.executor.steps.winrm.names import shell_names
from workers.executor.steps.winrm.shells import delete
from workers.executor.steps.winrm.transport import Frame, WinrmClient
from workers.executor.steps.winrm_exec import bootstrap
from workers.executor.steps.winrm_exec.leftovers import remove_batch_file
from workers.executor.steps.winrm_exec.outcome import NotRun, outcome_of
from workers.executor.steps.winrm_exec.output import Output

RELEASE_SECONDS = 10.0
IN_FLIGHT = "the connection to the host was lost while output may have been on its way"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandIds:
    """Content of the handle: all that another executor needs to find the command again."""

    shell_id: str
    command_id: str
    nonce: str
    shell: str


class WinrmAttempt:
    """Implements `Attempt`. The shell belongs to the user, not to a connection: a dropped one is replaced."""

    def __init__(
        self,
        *,
        ids: CommandIds,
        body: bytes,
        context: StepContext,
        command: Connection,
        control: Connection,
        limits: Limits,
        resumed: bool,
    ) -> None:
        self.handle: Handle = asdict(ids)
        self._ids = ids
        self._names = shell_names(context)
        self._body = body
        self._context = context
        self._command = command
        self._control = control
        self._limits = limits
        self._acted = self._first_after_take_over = resumed
        self._stopping = self._following = self._deleted = False
        self._ended = asyncio.Event()
        self._exit_code: int | None = None
        self._receiving: asyncio.Future[Frame | None] | None = None
        self._output = Output(
            context.output,
            bootstrap.opened_line(ids.nonce),
            command.endpoint.settings.oem_codepage,
            resumed=resumed,
        )

    # -- following

    async def follow(self) -> StepOutcome:
        self._following = True
        try:
            await self._command.persistently(self._open_gate, window=self._limits.reconnect)
            await self._pump()
        except Troubled as trouble:
            return self._after(trouble)
        finally:
            self._following = False
        return self._outcome()

    def _after(self, trouble: Troubled) -> StepOutcome:
        if self._stopping and trouble.diagnosis.situation is Situation.VANISHED:
            self._ended.set()
            return StepOutcome(outcome="failed", cause=CAUSES["cancelled"])
        raise self._command.fault(trouble.diagnosis, acted=self._acted) from trouble

    def _outcome(self) -> StepOutcome:
        if self._exit_code is None:
            raise AssertionError("the receive loop ended without an exit code")
        try:
            return outcome_of(
                self._exit_code,
                self._output.error_tail,
                gate_opened=self._output.gate_opened,
                lossy=self._output.lossy,
                shell=self._ids.shell,
            )
        except NotRun as refusal:
            user = self._command.credential.username
            raise self._command.endpoint.fault(refusal.code, refusal.detail, user=user) from refusal

    async def _open_gate(self) -> None:
        """Send the script. Repeating it is harmless: the bootstrap runs the first complete one, once."""
        pieces = bootstrap.sends(self._body, self._ids.nonce)
        for number, piece in enumerate(pieces, start=1):
            last = number == len(pieces)
            self._context.still_mine()
            self._acted = self._acted or last
            try:
                await self._command.run(
                    WinrmClient.send, self._ids.shell_id, self._ids.command_id, piece, end=last
                )
            except Troubled as trouble:
                if trouble.diagnosis.situation is not Situation.PIPE_ENDED:
                    raise
                return  # the gate has its script, or the command has ended: Receive will tell

    async def _pump(self) -> None:
        """Receive and write until the command has ended. Raises Troubled."""
        while not self._ended.is_set():
            frame = await self._command.persistently(
                self._receive, window=self._limits.reconnect, on_lost=self._lost
            )
            if frame is None:
                continue
            await self._output.write(frame.stdout, frame.stderr)
            if frame.exit_code is not None:
                await self._output.finish()
                self._exit_code = frame.exit_code
                self._ended.set()

    async def _receive(self) -> Frame | None:
        """One Receive. One that a cancelled caller began is taken over, so that its output is not lost.

        The Receive of a lost worker may still be under way, and hosts refuse a second one in their own ways.
        """
        if self._receiving is None:
            self._receiving = self._command.begin(
                WinrmClient.receive, self._ids.shell_id, self._ids.command_id
            )
        future = self._receiving
        try:
            frame = await self._command.result(future)
        except Troubled as trouble:
            if self._first_after_take_over and trouble.diagnosis.code == "remote_fault":
                raise Troubled(replace(trouble.diagnosis, situation=Situation.BUSY)) from trouble
            raise
        finally:
            if future.done():
                self._receiving = None
        self._first_after_take_over = False
        return frame

    async def _lost(self, diagnosis: Diagnosis) -> None:
        """An answer that never came may have carried output; a refusal (HTTP 400) carried none."""
        if diagnosis.code == "unreachable":
            await self._output.incomplete(IN_FLIGHT)

    # -- stopping and letting go

    async def stop(self) -> bool:
        self._stopping = True
        try:
            async with asyncio.timeout(self._limits.stop_in_all):
                await self._stop_command()
                return await self._verified_gone()
        except (Troubled, TimeoutError):
            return False

    async def _stop_command(self) -> None:
        """Ctrl+C, and terminate for what ignores it."""
        if not self._ended.is_set():
            await self._signal("ctrl_c")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.stop):
                    await self._wait_for_end()
        if not self._ended.is_set():
            await self._signal("terminate")

    async def _wait_for_end(self) -> None:
        if self._following:
            await self._ended.wait()
            return
        try:
            await self._pump()
        except Troubled as trouble:
            if trouble.diagnosis.situation is not Situation.VANISHED:
                raise
            self._ended.set()

    @property
    def _free(self) -> Connection:
        """The command's connection, which is logged in, unless a Receive is or may be under way on it."""
        return self._control if self._following or self._receiving is not None else self._command

    async def _signal(self, name: str) -> None:
        ids = self._ids
        await self._known(lambda: self._free.run(WinrmClient.signal, ids.shell_id, ids.command_id, name))

    async def _verified_gone(self) -> bool:
        """Delete the shell, which ends all processes in it, and see that the host knows it no more."""
        await self._delete_shell()
        ids = self._ids
        return not await self._known(
            lambda: self._free.run(WinrmClient.send, ids.shell_id, ids.command_id, b"", end=False)
        )

    async def _delete_shell(self) -> None:
        await self._known(lambda: self._free.run(WinrmClient.delete_shell, self._ids.shell_id))
        self._deleted = True

    async def _known(self, call: Callable[[], Awaitable[None]]) -> bool:
        """Whether the host still knew the shell and the command when it was asked. Raises Troubled."""
        try:
            await self._free.persistently(call, window=self._limits.stop_in_all)
        except Troubled as trouble:
            if trouble.diagnosis.situation is Situation.VANISHED:
                return False
            if trouble.diagnosis.situation is not Situation.PIPE_ENDED:
                raise
        return True

    async def release(self) -> str | None:
        why: str | None = None
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._clean_up()
        except (Troubled, TimeoutError) as error:
            why = said_by(error)
        await self.detach()
        return why

    async def _clean_up(self) -> None:
        """Delete every shell of the attempt, and what a killed cmd script has left. Raises Troubled."""
        if not self._deleted:
            await self._delete_shell()
        for shell_id in self._names.before(self._ids.shell_id):
            await delete(self._free, shell_id)
        cut_short = self._acted and (self._stopping or self._exit_code is None)
        if cut_short and self._ids.shell == "cmd":
            await remove_batch_file(self._free, self._names.own, self._ids.nonce)

    async def detach(self) -> None:
        await self._command.drop()
        await self._control.drop()
