"""`winrm.exec`: run a PowerShell or cmd script on a Windows machine over WinRM."""

import contextlib
from typing import ClassVar

from contracts.jobs.steps import WinrmExec
from workers.executor.steps.base import Handle, NotResumable, StepContext, StepFault
from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.endpoint import Limits
from workers.executor.steps.winrm.faults import Situation
from workers.executor.steps.winrm.names import SHELL_LEFT, shell_names
from workers.executor.steps.winrm.reaching import RECEIVING_THREADS, Reach
from workers.executor.steps.winrm.shells import forget
from workers.executor.steps.winrm.transport import WinrmClient
from workers.executor.steps.winrm_exec import bootstrap
from workers.executor.steps.winrm_exec.attempt import CommandIds, WinrmAttempt
from workers.executor.steps.winrm_exec.leftovers import batch_file, remove_batch_file
from workers.executor.steps.winrm_exec.script import body_of


class WinrmExecPlugin:
    """Implements `StepPlugin[WinrmExec]`. One thread for each running step, from a pool of its own."""

    type: ClassVar[str] = "winrm.exec"

    def __init__(self, *, threads: int = RECEIVING_THREADS, limits: Limits | None = None) -> None:
        self._reach = Reach(threads=threads, limits=limits)

    async def start(self, spec: WinrmExec, context: StepContext) -> WinrmAttempt:
        body = body_of(spec, context)
        command, control = self._reach.connections(context, spec.timeout_sec)
        await self._reach.check(command.endpoint)
        nonce = bootstrap.new_nonce()
        try:
            program, arguments = bootstrap.command_line(spec.shell, nonce)
            names = shell_names(context)
            shell_id, command_id = await self._reach.gated_command(command, names, program, arguments)
        except BaseException:
            await command.drop()
            await control.drop()
            raise
        ids = CommandIds(shell_id=shell_id, command_id=command_id, nonce=nonce, shell=spec.shell)
        return self._attempt(ids, body, context, command, control, resumed=False)

    async def resume(self, spec: WinrmExec, context: StepContext, handle: Handle) -> WinrmAttempt:
        try:
            return await self._resume(spec, context, _ids(handle))
        except StepFault as fault:
            # Whatever hinders us, the lost worker may have opened the gate: nobody may call this harmless.
            raise StepFault(fault.cause.code, acted=True, **fault.words) from fault

    async def _resume(self, spec: WinrmExec, context: StepContext, ids: CommandIds) -> WinrmAttempt:
        body, names = body_of(spec, context), shell_names(context)
        command, control = self._reach.connections(context, spec.timeout_sec)
        await self._reach.check(command.endpoint)
        try:
            await command.persistently(
                lambda: command.run(WinrmClient.send, ids.shell_id, ids.command_id, b"", end=False),
                window=self._reach.limits.connect,
            )
        except Troubled as trouble:
            if trouble.diagnosis.situation is not Situation.PIPE_ENDED:
                vanished = trouble.diagnosis.situation is Situation.VANISHED
                if vanished:
                    await forget(command, names.before(ids.shell_id), within=self._reach.limits.stop_in_all)
                if vanished and ids.shell == "cmd":
                    with contextlib.suppress(Troubled):  # whoever settles it comes back for it
                        await remove_batch_file(command, names.own, ids.nonce)
                await command.drop()
                if vanished:
                    raise NotResumable(trouble.diagnosis.detail) from trouble
                raise command.fault(trouble.diagnosis, acted=True) from trouble
        return self._attempt(ids, body, context, command, control, resumed=True)

    async def tidy(self, spec: WinrmExec, context: StepContext, handle: Handle | None) -> None:
        names = shell_names(context)
        command, _ = self._reach.connections(context, spec.timeout_sec)
        try:
            await self._reach.tidy(command, names, handle)
            if handle and handle.get("shell") == "cmd":
                await remove_batch_file(command, names.own, str(handle["nonce"]))
        except Troubled as trouble:
            raise command.fault(trouble.diagnosis, acted=False) from trouble
        finally:
            await command.drop()

    def leaves(self, spec: WinrmExec, context: StepContext) -> str:
        file = f", {batch_file('*')}" if spec.shell == "cmd" else ""
        return f"{SHELL_LEFT}{file}"

    async def close(self) -> None:
        self._reach.close()

    def _attempt(
        self,
        ids: CommandIds,
        body: bytes,
        context: StepContext,
        command: Connection,
        control: Connection,
        *,
        resumed: bool,
    ) -> WinrmAttempt:
        return WinrmAttempt(
            ids=ids,
            body=body,
            context=context,
            command=command,
            control=control,
            limits=self._reach.limits,
            resumed=resumed,
        )


def _ids(handle: Handle) -> CommandIds:
    """Raises NotResumable for a handle that is not one of ours."""
    try:
        return CommandIds(
            **{name: str(handle[name]) for name in ("shell_id", "command_id", "nonce", "shell")}
        )
    except KeyError as error:
        raise NotResumable(f"the stored handle has no {error}") from error
