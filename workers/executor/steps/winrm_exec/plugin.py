"""`winrm.exec`: run a PowerShell or cmd script on a Windows machine over WinRM."""

import asyncio
from typing import ClassVar

from contracts.jobs.steps import WinrmExec
from infra.blocking import BlockingPool
from workers.executor.steps.base import Handle, NotResumable, OpenedCredential, StepContext, StepFault
from workers.executor.steps.winrm_exec import bootstrap
from workers.executor.steps.winrm_exec.attempt import CommandIds, WinrmAttempt
from workers.executor.steps.winrm_exec.connections import Connection, Pools, Troubled, operation_seconds
from workers.executor.steps.winrm_exec.endpoint import Endpoint, Limits, check, speaks_tls
from workers.executor.steps.winrm_exec.faults import Diagnosis, Situation
from workers.executor.steps.winrm_exec.script import body_of
from workers.executor.steps.winrm_exec.transport import WinrmClient

RECEIVING_THREADS = 200
CONTROL_THREADS = 32
REMEMBERED_CHECKS = 1000
STARTS = 2
"""Tries to create a shell with a gated command: nothing runs before the gate is opened."""


class WinrmExecPlugin:
    """Implements `StepPlugin[WinrmExec]`. One thread for each running step, from a pool of its own."""

    type: ClassVar[str] = "winrm.exec"

    def __init__(self, *, threads: int = RECEIVING_THREADS, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._pools = Pools(
            receiving=BlockingPool("winrm-receive", threads),
            control=BlockingPool("winrm-control", min(threads, CONTROL_THREADS)),
        )
        self._in_order: dict[Endpoint, float] = {}

    async def start(self, spec: WinrmExec, context: StepContext) -> WinrmAttempt:
        body = body_of(spec, context)
        command, control = self._connections(spec, context)
        await self._check(command.endpoint)
        nonce = bootstrap.new_nonce()
        try:
            shell_id, command_id = await self._gated_command(command, spec, nonce)
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
        body = body_of(spec, context)
        command, control = self._connections(spec, context)
        await self._check(command.endpoint)
        try:
            await command.persistently(
                lambda: command.run(WinrmClient.send, ids.shell_id, ids.command_id, b"", end=False),
                window=self._limits.connect,
            )
        except Troubled as trouble:
            if trouble.diagnosis.situation is not Situation.PIPE_ENDED:
                await command.drop()
                if trouble.diagnosis.situation is Situation.VANISHED:
                    raise NotResumable(trouble.diagnosis.detail) from trouble
                raise command.fault(trouble.diagnosis, acted=True) from trouble
        return self._attempt(ids, body, context, command, control, resumed=True)

    async def close(self) -> None:
        self._pools.receiving.close()
        self._pools.control.close()

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
            limits=self._limits,
            resumed=resumed,
        )

    # -- getting there

    def _connections(self, spec: WinrmExec, context: StepContext) -> tuple[Connection, Connection]:
        target = context.target
        if target is None:
            raise StepFault("target_missing")
        endpoint = Endpoint(target.hostname, target.winrm)
        credential = _usable(context.credential, endpoint)
        seconds = operation_seconds(self._limits, spec.timeout_sec)
        refusals: list[Diagnosis] = []
        return (
            Connection(endpoint, credential, seconds, self._pools.receiving, refusals),
            Connection(endpoint, credential, seconds, self._pools.control, refusals),
        )

    async def _check(self, endpoint: Endpoint) -> None:
        """Raises StepFault, from a look at the port that is not repeated for a while when it was in order."""
        loop = asyncio.get_running_loop()
        until = self._in_order.pop(endpoint, 0.0)
        if until < loop.time():
            await check(endpoint, self._limits, self._pools.control)
            until = loop.time() + self._limits.checked
            self._forget_old_checks(loop.time())
        self._in_order[endpoint] = until

    def _forget_old_checks(self, now: float) -> None:
        if len(self._in_order) > REMEMBERED_CHECKS:
            self._in_order = {known: until for known, until in self._in_order.items() if until > now}

    async def _gated_command(self, command: Connection, spec: WinrmExec, nonce: str) -> tuple[str, str]:
        """Ids of a new shell and of the command in it that waits for its script. Raises StepFault."""
        for left in reversed(range(STARTS)):
            shell_id: str | None = None
            try:
                shell_id = await command.run(WinrmClient.open_shell)
                program, arguments = bootstrap.command_line(spec.shell, nonce)
                return shell_id, await command.run(WinrmClient.start_command, shell_id, program, arguments)
            except Troubled as trouble:
                await self._remove(command, shell_id)
                if trouble.diagnosis.situation is not Situation.LOST or not left:
                    raise await self._start_fault(command, trouble) from trouble
        raise AssertionError("unreachable: the last try returns or raises")

    async def _remove(self, command: Connection, shell_id: str | None) -> None:
        """A command whose answer was lost waits at its gate: its shell goes, and with it the command."""
        await command.drop()
        if shell_id is None:
            return
        try:
            await command.run(WinrmClient.delete_shell, shell_id)
        except Troubled:
            await command.drop()  # gone, or out of reach: the host deletes it after 15 minutes without use

    async def _start_fault(self, command: Connection, trouble: Troubled) -> StepFault:
        endpoint, diagnosis = command.endpoint, trouble.diagnosis
        self._in_order.pop(endpoint, None)
        closed = diagnosis.situation is Situation.LOST and endpoint.settings.scheme == "http"
        if closed and await speaks_tls(endpoint, self._limits):
            return endpoint.fault("tls_required")
        return command.fault(diagnosis, acted=False)


def _usable(credential: OpenedCredential | None, endpoint: Endpoint) -> OpenedCredential:
    if credential is None or not credential.username or "password" not in credential.secrets:
        raise endpoint.fault("credential_missing")
    return credential


def _ids(handle: Handle) -> CommandIds:
    """Raises NotResumable for a handle that is not one of ours."""
    try:
        return CommandIds(
            **{name: str(handle[name]) for name in ("shell_id", "command_id", "nonce", "shell")}
        )
    except KeyError as error:
        raise NotResumable(f"the stored handle has no {error}") from error
