"""The `ssh.copy` plug-in: which ways there are, and getting an attempt ready."""

from typing import ClassVar
from uuid import UUID

from contracts.jobs.steps import SshCopy
from workers.executor.steps.base import Handle, StepContext, StepFault
from workers.executor.steps.copying import PULL_FROM_BYTES, Source, Transfer, source_of, with_values
from workers.executor.steps.ssh_copy.attempt import SshCopyAttempt
from workers.executor.steps.ssh_copy.leftovers import described, remove
from workers.executor.steps.ssh_copy.peer import Peer
from workers.executor.steps.ssh_copy.transfers import Download, Upload
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Connections
from workers.executor.steps.ssh_exec.faults import fault, said_by


class SshCopyPlugin:
    """Implements `StepPlugin[SshCopy]`.

    `reconnect_seconds` is how long a lost connection is looked for again while no byte moves.
    """

    type: ClassVar[str] = "ssh.copy"

    def __init__(self, connections: Connections | None = None, *, reconnect_seconds: float = 60.0) -> None:
        self._connections = connections or Connections()
        self._reconnect_seconds = reconnect_seconds

    async def start(self, spec: SshCopy, context: StepContext) -> SshCopyAttempt:
        spec = with_values(spec, context)
        ways = await _ways(spec, context)
        lease = await self._connections.lease_for(context)
        return SshCopyAttempt(spec, context, lease, ways, reconnect_seconds=self._reconnect_seconds)

    async def resume(self, spec: SshCopy, context: StepContext, handle: Handle) -> SshCopyAttempt:
        """The same again: what was begun is gone on with, what is in place already is found equal."""
        attempt = await self.start(spec, context)
        attempt.reached = True
        return attempt

    async def tidy(self, spec: SshCopy, context: StepContext, handle: Handle | None) -> None:
        """What is half written stays until the task has ended: its next attempt goes on with it."""
        if not context.over:
            return
        spec = with_values(spec, context)
        lease = await self._connections.lease_for(context)
        try:
            gone = await remove(lease, spec, context)
        except (ChannelClosed, TimeoutError) as error:
            raise fault("unreachable", lease.target, lease.credential, said_by(error)) from None
        finally:
            lease.release()
        if not gone:
            raise fault("copy_failed", lease.target, lease.credential, "it could not be removed")

    def leaves(self, spec: SshCopy, context: StepContext) -> str:
        return described(with_values(spec, context), context)

    async def close(self) -> None:
        await self._connections.close()


async def _ways(spec: SshCopy, context: StepContext) -> list[Transfer[Peer]]:
    """How to do it, the preferred way first."""
    if spec.direction == "download":
        return [Download(spec=spec, context=context)]
    source = await source_of(spec, context)
    streamed = Upload(spec=spec, source=source, context=context)
    artifact_id = _to_be_pulled(spec, source)
    if artifact_id is None or (first := await context.artifacts.pull_url(artifact_id)) is None:
        if spec.transfer == "pull":
            raise StepFault("step_invalid", detail="transfer: pull needs OPS_PUBLIC_URL to be set")
        return [streamed]
    unused = [first]

    async def url() -> str:
        """Another address for each try: each is good for one request."""
        return unused.pop() if unused else await context.artifacts.pull_url(artifact_id) or ""

    pulled = Upload(spec=spec, source=source, context=context, url=url)
    return [pulled] if spec.transfer == "pull" else [pulled, streamed]


def _to_be_pulled(spec: SshCopy, source: Source) -> UUID | None:
    """The artifact that the target is to fetch itself, if any. Raises `StepFault` for what has no address."""
    if spec.transfer == "pull" and source.artifact_id is None:
        raise StepFault("step_invalid", detail="content_base64 cannot be pulled: give an artifact as src")
    small = spec.transfer == "auto" and source.size < PULL_FROM_BYTES
    return None if small or spec.transfer == "stream" else source.artifact_id
