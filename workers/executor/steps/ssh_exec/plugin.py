"""The plug-ins that run something: getting an attempt ready, and taking one over."""

import asyncio
from abc import abstractmethod
from base64 import b64decode
from typing import ClassVar, Generic, TypeVar
from uuid import uuid4

import structlog

from contracts.binding import fill_all
from contracts.jobs.steps import SshCommand, SshExec, SshScript
from workers.executor.steps.base import Handle, NotResumable, StepContext, StepFault
from workers.executor.steps.ssh_exec.attempt import SshAttempt
from workers.executor.steps.ssh_exec.beginning import forget, look_up, make_ready, sweep
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Connections, Lease
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.payload import Payload, of_command, of_file
from workers.executor.steps.ssh_exec.wire import Wire
from workers.executor.steps.undoing import to_its_end

TAKE_BACK_SECONDS = 8.0
SCRIPT_BYTES = 16 * 1024 * 1024
"""The largest file that is run as a script: it is held in memory on its way."""

_log = structlog.get_logger(__name__)

Spec = TypeVar("Spec", bound=SshCommand)


class CommandPlugin(Generic[Spec]):
    """Runs programs in their own session under a small wrapper that outlives this process.

    `reconnect_seconds` is how long a lost connection is looked for again.
    """

    type: ClassVar[str]

    def __init__(self, connections: Connections | None = None, *, reconnect_seconds: float = 60.0) -> None:
        self._connections = connections or Connections()
        self._reconnect_seconds = reconnect_seconds

    @abstractmethod
    async def payload(self, spec: Spec, context: StepContext) -> Payload:
        """What is to be stored on the target. Raises `StepFault`."""

    async def start(self, spec: Spec, context: StepContext) -> SshAttempt:
        payload = await self.payload(spec, context)
        lease = await self._connections.lease_for(context)
        try:
            wire, folder = await _made_ready(lease, spec, payload, _folders_of(context))
        except asyncio.CancelledError:
            await to_its_end(self._take_back(lease, spec, context))
            lease.release()
            raise
        except BaseException:
            lease.release()
            raise
        return self._attempt(spec, context, lease, folder, wire)

    async def resume(self, spec: Spec, context: StepContext, handle: Handle) -> SshAttempt:
        folder = str(handle["folder"])
        lease = await self._connections.lease_for(context)
        try:
            wire, state = await look_up(lease, spec, folder)
        except BaseException:
            lease.release()
            raise
        if state in {"missing", "vanished"}:
            if state == "vanished":
                await forget(wire, folder)
            wire.close()
            lease.release()
            raise NotResumable(_WHY[state].format(folder=folder, host=lease.target.hostname))
        attempt = self._attempt(spec, context, lease, folder, wire)
        attempt.acted = state == "started"
        return attempt

    async def tidy(self, spec: Spec, context: StepContext, handle: Handle | None) -> None:
        lease = await self._connections.lease_for(context)
        try:
            await sweep(lease, spec, _folders_of(context))
        finally:
            lease.release()

    def leaves(self, spec: Spec, context: StepContext) -> str:
        user = f" of {spec.sudo.user}" if spec.sudo else ""
        return f"folders ~/.opsconductor/{_folders_of(context)}.*{user}"

    async def _take_back(self, lease: Lease, spec: Spec, context: StepContext) -> None:
        """A start was called off: whatever it has stored on the target goes again."""
        try:
            async with asyncio.timeout(TAKE_BACK_SECONDS):
                await sweep(lease, spec, _folders_of(context))
        except (StepFault, TimeoutError) as error:
            _log.warning("ssh.folder_left", task_id=str(context.task_id), reason=str(error))

    async def close(self) -> None:
        await self._connections.close()

    def _attempt(self, spec: Spec, context: StepContext, lease: Lease, folder: str, wire: Wire) -> SshAttempt:
        return SshAttempt(spec, context, lease, folder, wire, reconnect_seconds=self._reconnect_seconds)


class SshExecPlugin(CommandPlugin[SshExec]):
    """`ssh.exec`: a script written in the job itself."""

    type: ClassVar[str] = "ssh.exec"

    async def payload(self, spec: SshExec, context: StepContext) -> Payload:
        return of_command(spec, context)


class SshScriptPlugin(CommandPlugin[SshScript]):
    """`ssh.script`: a file as a program."""

    type: ClassVar[str] = "ssh.script"

    async def payload(self, spec: SshScript, context: StepContext) -> Payload:
        return of_file(spec, context, await _content(spec, context))


_WHY = {
    "missing": "the folder {folder} of the command is not on {host}",
    "vanished": "the command on {host} ended without leaving its exit code in {folder} (reboot or kill)",
}


async def _content(spec: SshScript, context: StepContext) -> bytes:
    """The script. Raises `StepFault`."""
    if spec.content_base64 is not None:
        try:
            return b64decode(spec.content_base64, validate=True)
        except ValueError as error:
            raise StepFault("step_invalid", detail=f"content_base64: {error}") from None
    src = str(fill_all(spec.src, context.parameters))
    if context.artifacts is None:
        raise StepFault("artifact_missing", detail=src)
    artifact = await context.artifacts.resolve(src)
    if artifact.size > SCRIPT_BYTES:
        told = f"{artifact.size} bytes; scripts may have {SCRIPT_BYTES}"
        raise StepFault("artifact_too_large", detail=told)
    return b"".join([piece async for piece in context.artifacts.read(artifact.id)])


def _folders_of(context: StepContext) -> str:
    """How the names of all folders of the attempt begin."""
    return f"{context.task_id}.{context.attempt}"


async def _made_ready(lease: Lease, spec: SshCommand, payload: Payload, task: str) -> tuple[Wire, str]:
    """Store the payload on the target; a connection that breaks meanwhile is replaced once."""
    reason: Exception | None = None
    for reuse in (True, False):
        try:
            return await make_ready(lease, spec, payload, f"{task}.{uuid4().hex[:12]}", reuse=reuse)
        except (ChannelClosed, TimeoutError) as error:
            reason = error
    if isinstance(reason, ChannelClosed) and reason.reason:
        raise fault("unreachable", lease.target, lease.credential, reason.reason)
    raise fault("shell_unusable", lease.target, lease.credential, reason or "no answer in time")
