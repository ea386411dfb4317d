"""One try of one copy: connections one after another where they break, and its end."""

import asyncio

import structlog

from contracts.causes import CAUSES
from contracts.jobs.steps import SshCopy
from workers.executor.steps.base import Handle, StepContext, StepFault, StepOutcome
from workers.executor.steps.copying import Transfer, identity
from workers.executor.steps.ssh_copy.leftovers import remove
from workers.executor.steps.ssh_copy.peer import Peer
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.faults import said_by

STOP_SECONDS = 18.0
RELEASE_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0

_log = structlog.get_logger(__name__)


class SshCopyAttempt:
    """Promises what `Attempt` does. What was copied before a connection broke is not copied again."""

    def __init__(
        self,
        spec: SshCopy,
        context: StepContext,
        lease: Lease,
        ways: list[Transfer[Peer]],
        *,
        reconnect_seconds: float,
    ) -> None:
        self.handle: Handle = {"copy": identity(context)}
        self._spec = spec
        self._context = context
        self._lease = lease
        self._ways = ways
        self._reconnect_seconds = reconnect_seconds
        self._peer: Peer | None = None
        self._stopping = False
        self.reached = False
        """Whether the target may have been dealt with: before that, being unreachable is the whole truth."""

    async def follow(self) -> StepOutcome:
        try:
            while True:
                try:
                    return await self._until_done(self._ways[0])
                except StepFault as fault:
                    if fault.cause.code != "pull_failed" or len(self._ways) == 1:
                        raise
                    self._ways.pop(0)
        except (StepFault, ChannelClosed):
            if self._stopping:
                return StepOutcome(outcome="failed", cause=CAUSES["cancelled"])
            raise
        finally:
            self._drop_peer()
            for way in self._ways:
                await way.give_up()

    async def _until_done(self, way: Transfer[Peer]) -> StepOutcome:
        """Begin again where it broke off, as long as bytes move or the patience lasts."""
        loop = asyncio.get_running_loop()
        since, moved, pause = loop.time(), way.moved, FIRST_PAUSE
        while True:
            try:
                peer = self._peer = await Peer.open(self._lease, self._spec.sudo)
                self.reached = True
                self._context.still_mine()
                return StepOutcome(outcome="succeeded", outputs=await way.run(peer))
            except (ChannelClosed, TimeoutError, StepFault) as trouble:
                if isinstance(trouble, StepFault) and not (
                    self.reached and trouble.cause.code == "unreachable"
                ):
                    raise
                if way.moved > moved:
                    since, moved, pause = loop.time(), way.moved, FIRST_PAUSE
                if self._stopping or loop.time() - since > self._reconnect_seconds:
                    raise self._lost(trouble) from trouble
                _log.info("ssh.copy_interrupted", task_id=str(self._context.task_id), reason=str(trouble))
            finally:
                self._drop_peer()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _lost(self, trouble: Exception) -> StepFault:
        target = self._lease.target
        words = {"host": target.hostname, "port": target.ssh.port, "user": self._lease.credential.username}
        return StepFault("connection_lost", acted=True, detail=str(trouble) or "no answer in time", **words)

    async def stop(self) -> bool:
        self._stopping = True
        self._drop_peer()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self._clean_up()
        except (StepFault, ChannelClosed, TimeoutError) as error:
            _log.warning("ssh.stop_failed", task_id=str(self._context.task_id), reason=str(error))
            return False

    async def _clean_up(self) -> bool:
        return await remove(self._lease, self._spec, self._context)

    async def release(self) -> str | None:
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                why = None if await self._clean_up() else "it could not be removed"
        except (StepFault, ChannelClosed, TimeoutError) as error:
            why = said_by(error)
        await self.detach()
        return why

    async def detach(self) -> None:
        self._drop_peer()
        self._lease.release()

    def _drop_peer(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.close()
