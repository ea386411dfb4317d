"""`winrm.copy`: bring a file or folder to a Windows machine over WinRM, or fetch one from it."""

from functools import partial
from typing import ClassVar, Literal
from uuid import UUID

from contracts.jobs.steps import WinrmCopy
from infra.blocking import BlockingPool
from workers.executor.steps.base import Handle, NotResumable, StepContext, StepFault
from workers.executor.steps.copying import PULL_FROM_BYTES, Source, Transfer, source_of, with_values
from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.endpoint import Limits
from workers.executor.steps.winrm.names import SHELL_LEFT, shell_names
from workers.executor.steps.winrm.reaching import RECEIVING_THREADS, Reach
from workers.executor.steps.winrm.shells import delete
from workers.executor.steps.winrm_copy.attempt import WinrmCopyAttempt
from workers.executor.steps.winrm_copy.leftovers import described, leftovers_of, remove
from workers.executor.steps.winrm_copy.peer import Peer, SendSize
from workers.executor.steps.winrm_copy.repacking import as_zip
from workers.executor.steps.winrm_copy.transfers import Download, Fault, Upload

REPACKING_THREADS = 2


class WinrmCopyPlugin:
    """Implements `StepPlugin[WinrmCopy]`. One thread for each running copy, from a pool of its own."""

    type: ClassVar[str] = "winrm.copy"

    def __init__(self, *, threads: int = RECEIVING_THREADS, limits: Limits | None = None) -> None:
        self._reach = Reach(threads=threads, limits=limits)
        self._repacking = BlockingPool("repacking", REPACKING_THREADS)

    async def start(self, spec: WinrmCopy, context: StepContext) -> WinrmCopyAttempt:
        spec = with_values(spec, context)
        command, control = self._reach.connections(context, spec.timeout_sec)
        size = SendSize()
        fault = partial(_fault, command)
        ways = await self._ways(spec, context, fault, size)
        try:
            await self._reach.check(command.endpoint)
            names = shell_names(context)
            peer = await Peer.start(self._reach, command, names, size)
        except BaseException:
            await ways[0].give_up()
            await command.drop()
            await control.drop()
            raise
        return WinrmCopyAttempt(
            reach=self._reach,
            command=command,
            control=control,
            names=names,
            peer=peer,
            transfer=ways[0],
            fallback=ways[1] if len(ways) > 1 else None,
            leftovers=leftovers_of(spec, context),
            leaves=_leaves(spec),
            size=size,
        )

    async def resume(self, spec: WinrmCopy, context: StepContext, handle: Handle) -> WinrmCopyAttempt:
        """End the process of the lost worker and go on with a new one, from where the bytes stopped."""
        shell_id = handle.get("shell_id")
        if not isinstance(shell_id, str):
            raise NotResumable("the stored handle names no shell")
        _, control = self._reach.connections(context, spec.timeout_sec)
        await self._reach.check(control.endpoint)
        try:
            await control.persistently(lambda: delete(control, shell_id), window=self._reach.limits.connect)
        except Troubled as trouble:
            raise control.fault(trouble.diagnosis, acted=False) from trouble
        finally:
            await control.drop()
        return await self.start(spec, context)

    async def tidy(self, spec: WinrmCopy, context: StepContext, handle: Handle | None) -> None:
        """What is half written stays until the task has ended: its next attempt goes on with it."""
        spec, names = with_values(spec, context), shell_names(context)
        command, _ = self._reach.connections(context, spec.timeout_sec)
        try:
            await self._reach.tidy(command, names, handle)
            if context.over:
                await remove(self._reach, command, names, leftovers_of(spec, context))
        except Troubled as trouble:
            raise command.fault(trouble.diagnosis, acted=False) from trouble
        finally:
            await command.drop()

    def leaves(self, spec: WinrmCopy, context: StepContext) -> str:
        return f"{described(with_values(spec, context), context)}; {SHELL_LEFT}"

    async def close(self) -> None:
        self._reach.close()
        self._repacking.close()

    async def _ways(
        self, spec: WinrmCopy, context: StepContext, fault: Fault, size: SendSize
    ) -> list[Transfer[Peer]]:
        """How to do it, the preferred way first."""
        if spec.direction == "download":
            return [Download(spec=spec, context=context, fault=fault)]
        source = await source_of(spec, context)
        if spec.directory:
            source = await as_zip(source, self._repacking)
        streamed = Upload(spec=spec, source=source, context=context, fault=fault, size=size)
        artifact_id = _to_be_pulled(spec, source)
        if artifact_id is None or (first := await context.artifacts.pull_url(artifact_id)) is None:
            if spec.transfer == "pull":
                raise StepFault("step_invalid", detail="transfer: pull needs OPS_PUBLIC_URL to be set")
            return [streamed]
        unused = [first]

        async def url() -> str:
            """Another address for each process: each is good for one request."""
            return unused.pop() if unused else await context.artifacts.pull_url(artifact_id) or ""

        pulled = Upload(spec=spec, source=source, context=context, fault=fault, size=size, url=url)
        return [pulled] if spec.transfer == "pull" else [pulled, streamed]


def _leaves(spec: WinrmCopy) -> Literal["half a file", "an archive", "nothing"]:
    if spec.direction == "upload":
        return "half a file"
    return "an archive" if spec.directory else "nothing"


def _to_be_pulled(spec: WinrmCopy, source: Source) -> UUID | None:
    """The artifact that the target is to fetch itself. Raises StepFault for what has no address."""
    if spec.transfer == "pull" and source.artifact_id is None:
        raise StepFault("step_invalid", detail="only an artifact can be pulled, and no tar archive")
    small = spec.transfer == "auto" and source.size < PULL_FROM_BYTES
    return None if small or spec.transfer == "stream" else source.artifact_id


def _fault(command: Connection, code: str, detail: str) -> StepFault:
    return command.endpoint.fault(code, detail, user=command.credential.username)
