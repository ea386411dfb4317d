"""The `ssh.exec` plug-in: getting an attempt ready, and taking one over."""

from typing import ClassVar
from uuid import uuid4

from contracts.jobs.steps import SshExec
from workers.executor.steps.base import (
    Handle,
    NotResumable,
    OpenedCredential,
    StepContext,
    StepFault,
    TargetView,
)
from workers.executor.steps.ssh_exec.attempt import READY_SECONDS, SshAttempt, look_up
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Connections, Lease
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.script import script_file
from workers.executor.steps.ssh_exec.wire import Wire
from workers.executor.steps.ssh_exec.wrapper import RUN

_FAULTS = {"workspace": "workspace_unusable", "program": "program_not_found"}


class SshExecPlugin:
    """Runs scripts in their own session under a small wrapper that outlives this process.

    `connect_seconds` bounds a whole login, `reconnect_seconds` how long a lost connection is looked for
    again.
    """

    type: ClassVar[str] = "ssh.exec"

    def __init__(
        self, *, connect_seconds: float = 10.0, reconnect_seconds: float = 60.0, idle_seconds: float = 60.0
    ) -> None:
        self._connections = Connections(connect_seconds=connect_seconds, idle_seconds=idle_seconds)
        self._reconnect_seconds = reconnect_seconds

    async def start(self, spec: SshExec, context: StepContext) -> SshAttempt:
        target, credential = _endpoint(context)
        script = script_file(spec, context)
        lease = await self._connections.lease(target, credential)
        try:
            wire, folder = await _made_ready(lease, spec, context, script)
        except BaseException:
            lease.release()
            raise
        return self._attempt(spec, context, lease, folder, wire)

    async def resume(self, spec: SshExec, context: StepContext, handle: Handle) -> SshAttempt:
        target, credential = _endpoint(context)
        folder = str(handle["folder"])
        lease = await self._connections.lease(target, credential)
        try:
            wire, state = await look_up(lease, spec, folder)
        except BaseException:
            lease.release()
            raise
        if state in {"missing", "vanished"}:
            wire.close()
            lease.release()
            raise NotResumable(_WHY[state].format(folder=folder, host=target.hostname))
        attempt = self._attempt(spec, context, lease, folder, wire)
        attempt.acted = state == "started"
        return attempt

    async def close(self) -> None:
        await self._connections.close()

    def _attempt(
        self, spec: SshExec, context: StepContext, lease: Lease, folder: str, wire: Wire
    ) -> SshAttempt:
        return SshAttempt(spec, context, lease, folder, wire, reconnect_seconds=self._reconnect_seconds)


_WHY = {
    "missing": "the folder {folder} of the command is not on {host}",
    "vanished": "the command on {host} ended without leaving its exit code in {folder} (reboot or kill)",
}


def _endpoint(context: StepContext) -> tuple[TargetView, OpenedCredential]:
    if context.target is None:
        raise StepFault("target_missing")
    if context.credential is None:
        raise fault("credential_missing", context.target, None)
    return context.target, context.credential


async def _made_ready(lease: Lease, spec: SshExec, context: StepContext, script: bytes) -> tuple[Wire, str]:
    """Store the script on the target; a connection that breaks meanwhile is replaced once."""
    reason: Exception | None = None
    for _ in range(2):
        name = f"{context.task_id}.{context.attempt}.{uuid4().hex[:12]}"
        wire = await Wire.open(lease, RUN)
        try:
            wire.send(f"{wire.nonce} new {spec.shell} {len(script)}", name, body=script)
            kind, *rest = await wire.answer(within=READY_SECONDS)
        except (ChannelClosed, TimeoutError) as error:
            wire.close()
            reason = error
            continue
        except BaseException:
            wire.close()
            raise
        if kind == "fault":
            wire.close()
            raise fault(_FAULTS[rest[0]], lease.target, lease.credential, " ".join(rest[1:]))
        return wire, " ".join(rest[1:])
    if isinstance(reason, ChannelClosed) and reason.reason:
        raise fault("unreachable", lease.target, lease.credential, reason.reason)
    raise fault("shell_unusable", lease.target, lease.credential, reason or "no answer in time")
