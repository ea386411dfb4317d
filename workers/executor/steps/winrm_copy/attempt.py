"""One try of one copy: processes on the target, one after another where a connection drops, and their end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from contracts.causes import CAUSES
from workers.executor.steps.base import Handle, StepFault, StepOutcome
from workers.executor.steps.copying import KEPT, Transfer
from workers.executor.steps.winrm.connections import WORTH_REPEATING, Connection, Troubled, said_by
from workers.executor.steps.winrm.faults import Diagnosis, Situation
from workers.executor.steps.winrm.names import ShellNames
from workers.executor.steps.winrm.reaching import Reach
from workers.executor.steps.winrm.shells import delete
from workers.executor.steps.winrm_copy.bootstrap import CUT_OFF, SHRANK, UNHEARD
from workers.executor.steps.winrm_copy.leftovers import Leftovers, remove
from workers.executor.steps.winrm_copy.peer import Ended, Peer, SendSize
from workers.executor.steps.winrm_copy.transfers import Busy, Refused

RELEASE_SECONDS = 10.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
BUSY_SECONDS = 90.0
"""A process whose executor is gone ends after a minute, and lets go of the half-written file."""


class WinrmCopyAttempt:
    """Implements `Attempt`. What was copied before a connection dropped is not copied again."""

    def __init__(
        self,
        *,
        reach: Reach,
        command: Connection,
        control: Connection,
        names: ShellNames,
        peer: Peer,
        transfer: Transfer[Peer],
        fallback: Transfer[Peer] | None,
        leftovers: Leftovers,
        leaves: Literal["half a file", "an archive", "nothing"],
        size: SendSize,
    ) -> None:
        self.handle: Handle = {"shell_id": peer.shell_id}
        self._reach = reach
        self._command = command
        self._control = control
        self._names = names
        self._peer: Peer | None = peer
        self._transfer = transfer
        self._fallback = fallback
        self._leftovers = leftovers
        self._leaves = leaves
        """On the target, when it breaks off: half of an upload, or the archive of a folder."""
        self._half_done = False
        self._size = size
        self._fresh = True
        self._outputs: dict[str, Any] = {}
        self._stopping = False
        self._starting = asyncio.Lock()

    async def follow(self) -> StepOutcome:
        try:
            outputs = await self._until_done()
        except StepFault as fault:
            if self._stopping:
                return StepOutcome(outcome="failed", cause=CAUSES["cancelled"])
            if fault.cause.code != "pull_failed" or self._fallback is None:
                raise
            self._transfer, self._fallback = self._fallback, None
            outputs = await self._until_done()
        finally:
            await self._transfer.give_up()
        return StepOutcome(outcome="succeeded", outputs=outputs)

    async def _until_done(self) -> dict[str, Any]:
        """Begin again where it broke off, as long as bytes move or the window has not passed."""
        loop = asyncio.get_running_loop()
        since, moved, pause = loop.time(), self._transfer.moved, FIRST_PAUSE_SECONDS
        while True:
            trouble, window = await self._once()
            if trouble is None:
                return self._outputs
            if self._transfer.moved > moved:
                since, moved, pause = loop.time(), self._transfer.moved, FIRST_PAUSE_SECONDS
            if self._stopping or loop.time() - since > window:
                raise trouble
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _once(self) -> tuple[StepFault | None, float]:
        """None when it is done, else why not and for how many seconds that is worth another try."""
        window = self._reach.limits.reconnect
        try:
            peer = await self._next_peer()
            self._half_done = self._leaves != "nothing"
            self._outputs = await self._transfer.run(peer)
            self._half_done = False
        except Refused:
            self._half_done = False
            raise
        except Troubled as trouble:
            fault = self._command.fault(trouble.diagnosis, acted=True)
            if not self._worth(trouble.diagnosis):
                raise fault from trouble
            await self._command.drop()
            return fault, window
        except Ended as ended:
            endpoint = self._command.endpoint
            if ended.exit_code == SHRANK:
                raise endpoint.fault("hash_mismatch", "the file changed while it was read") from ended
            if ended.exit_code not in (UNHEARD, CUT_OFF):
                raise endpoint.fault("script_not_run", ended.detail) from ended
            return endpoint.fault("connection_lost", ended.detail), window
        except Busy as busy:
            return self._command.endpoint.fault("path_denied", str(busy)), BUSY_SECONDS
        return None, 0

    @staticmethod
    def _worth(diagnosis: Diagnosis) -> bool:
        return diagnosis.situation in WORTH_REPEATING | {Situation.VANISHED, Situation.PIPE_ENDED}

    async def _next_peer(self) -> Peer:
        """The first process, or another one after the last has been ended."""
        async with self._starting:
            if self._stopping:
                raise self._command.endpoint.fault("cancelled")
            if self._fresh and self._peer is not None:
                self._fresh = False
                return self._peer
            if self._peer is not None:
                await self._peer.end()
                self._peer = None
            try:
                self._peer = await Peer.start(self._reach, self._command, self._names, self._size)
            except StepFault as fault:
                if fault.cause.code == "unreachable":
                    detail = str(fault.words.get("detail", ""))
                    raise Troubled(Diagnosis(Situation.LOST, "unreachable", detail)) from fault
                raise
            return self._peer

    # -- stopping and letting go

    async def stop(self) -> bool:
        self._stopping = True
        try:
            async with asyncio.timeout(self._reach.limits.stop_in_all):
                async with self._starting:
                    peer, self._peer = self._peer, None
                if peer is not None:
                    await self._patiently(lambda: delete(self._control, peer.shell_id))
                await self._patiently(self._clean_up)
        except (Troubled, StepFault, TimeoutError):
            return False
        self._half_done = False
        return True

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        await self._control.persistently(work, window=self._reach.limits.stop_in_all)

    async def _clean_up(self) -> None:
        await remove(self._reach, self._control, self._names, self._leftovers)

    async def release(self) -> str | None:
        """Half of an upload is kept: the task's next attempt goes on with it, if there is one."""
        why = KEPT if self._half_done else None
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                if self._peer is not None:
                    await self._peer.deleted()
                if self._half_done and self._leaves == "an archive":
                    await self._clean_up()
                    why = None
                for shell_id in self._names.earlier:
                    await delete(self._control, shell_id)
        except StepFault as fault:
            why = fault.message
        except (Troubled, TimeoutError) as error:
            why = said_by(error)
        await self.detach()
        return why

    async def detach(self) -> None:
        await self._transfer.give_up()
        await self._command.drop()
        await self._control.drop()
