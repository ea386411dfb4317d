"""From a target to a shell on it with a gated command: a program that does nothing before it is told to."""

import asyncio
import random
from collections.abc import Iterator, Mapping

from infra.blocking import BlockingPool
from workers.executor.steps.base import Handle, OpenedCredential, StepContext, StepFault
from workers.executor.steps.undoing import to_its_end
from workers.executor.steps.winrm.connections import Connection, Pools, Troubled, operation_seconds
from workers.executor.steps.winrm.endpoint import Endpoint, Limits, check, speaks_tls
from workers.executor.steps.winrm.faults import CERTIFICATE_REFUSED, Diagnosis, Situation
from workers.executor.steps.winrm.names import ShellNames
from workers.executor.steps.winrm.shells import delete, forget, open_named
from workers.executor.steps.winrm.transport import WinrmClient

RECEIVING_THREADS = 200
CONTROL_THREADS = 32
REMEMBERED_CHECKS = 1000
STARTS = 2
"""Tries to create a shell with a gated command where the connection is lost."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
UNHEARD = {Situation.LOST, Situation.SILENT}
"""The host may have done what we asked for."""


class Reach:
    """The threads of one plug-in, and what it remembers of ports. Safe for many attempts at once."""

    def __init__(self, *, threads: int = RECEIVING_THREADS, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._pools = Pools(
            receiving=BlockingPool("winrm-receive", threads),
            control=BlockingPool("winrm-control", min(threads, CONTROL_THREADS)),
        )
        self._in_order: dict[Endpoint, float] = {}

    def connections(self, context: StepContext, step_seconds: float) -> tuple[Connection, Connection]:
        """One for the command and one to control it. Raises StepFault without target or credential."""
        target = context.target
        if target is None:
            raise StepFault("target_missing")
        endpoint = Endpoint(target.hostname, target.winrm)
        credential = usable(context.credential, endpoint)
        seconds = operation_seconds(self.limits, step_seconds)
        refusals: list[Diagnosis] = []
        return (
            Connection(endpoint, credential, seconds, self._pools.receiving, refusals),
            Connection(endpoint, credential, seconds, self._pools.control, refusals),
        )

    async def check(self, endpoint: Endpoint) -> None:
        """Raises StepFault, from a look at the port that is not repeated for a while when it was in order."""
        loop = asyncio.get_running_loop()
        until = self._in_order.pop(endpoint, 0.0)
        if until < loop.time():
            await check(endpoint, self.limits, self._pools.control)
            until = loop.time() + self.limits.checked
            self._forget_old_checks(loop.time())
        self._in_order[endpoint] = until

    def _forget_old_checks(self, now: float) -> None:
        if len(self._in_order) > REMEMBERED_CHECKS:
            self._in_order = {known: until for known, until in self._in_order.items() if until > now}

    async def gated_command(
        self,
        command: Connection,
        names: ShellNames,
        program: str,
        arguments: tuple[str, ...],
        *,
        raw_input: bool = False,
    ) -> tuple[str, str]:
        """Ids of a new shell and of the command in it that waits at its gate. Raises StepFault.

        Shells that earlier holders of the attempt may have left go first. Nothing runs before the gate is
        opened, so all of it may be tried again: once where the connection was lost, with growing pauses while
        the host has no room.
        """
        await forget(command, names.earlier, within=self.limits.stop_in_all)
        deadline = asyncio.get_running_loop().time() + self.limits.room
        losses, pauses = 0, _pauses()
        while True:
            try:
                return await self._try_to_gate(command, names.own, program, arguments, raw_input=raw_input)
            except Troubled as trouble:
                situation = trouble.diagnosis.situation
                losses += situation is Situation.LOST
                pause = next(pauses) if situation is Situation.FULL else 0.0
                in_time = asyncio.get_running_loop().time() + pause < deadline
                lost_once = situation is Situation.LOST and losses < STARTS
                if not lost_once and not (situation is Situation.FULL and in_time):
                    raise await self._start_fault(command, trouble) from trouble
            await asyncio.sleep(pause)

    async def tidy(self, command: Connection, names: ShellNames, handle: Handle | None) -> None:
        """Remove the shells of an attempt that is over, whoever opened them. Raises StepFault."""
        await self.check(command.endpoint)
        stored = [str(handle["shell_id"])] if handle and "shell_id" in handle else []
        try:
            for shell_id in dict.fromkeys((*names.all, *stored)):
                await delete(command, shell_id)
        except Troubled as trouble:
            raise command.fault(trouble.diagnosis, acted=False) from trouble

    async def _try_to_gate(
        self, command: Connection, name: str, program: str, arguments: tuple[str, ...], *, raw_input: bool
    ) -> tuple[str, str]:
        """A shell and its command; called off or in trouble, it takes back what it has made."""
        opening = asyncio.create_task(open_named(command, name), name="open shell")
        try:
            shell_id = await asyncio.shield(opening)
            return shell_id, await command.run(
                WinrmClient.start_command, shell_id, program, arguments, raw_input=raw_input
            )
        except (Troubled, asyncio.CancelledError):
            await to_its_end(self._take_back(command, name, opening))
            raise

    async def _take_back(self, command: Connection, name: str, opening: asyncio.Task[str]) -> None:
        """The shell that is there, or may be, goes again, and with it a command that waits at its gate."""
        await asyncio.wait({opening}, timeout=self.limits.stop)
        opening.cancel()
        [ended] = await asyncio.gather(opening, return_exceptions=True)
        await command.drop()
        refused = isinstance(ended, Troubled) and ended.diagnosis.situation not in UNHEARD
        if not refused:
            made = ended if isinstance(ended, str) else name
            await forget(command, [made], within=self.limits.stop_in_all)

    async def _start_fault(self, command: Connection, trouble: Troubled) -> StepFault:
        endpoint, diagnosis = command.endpoint, trouble.diagnosis
        self._in_order.pop(endpoint, None)
        settings = endpoint.settings
        if diagnosis.situation is Situation.LOST and settings.proxy is None:
            if settings.scheme == "http" and await speaks_tls(endpoint, self.limits):
                return endpoint.fault("tls_required")
            if settings.transport == "certificate" and await speaks_tls(endpoint, self.limits):
                return command.fault(CERTIFICATE_REFUSED, acted=False)
        return command.fault(diagnosis, acted=False)

    def close(self) -> None:
        """Give the threads back."""
        self._pools.receiving.close()
        self._pools.control.close()


def _pauses() -> Iterator[float]:
    """Seconds between tries for room, with jitter: many steps wait for the same host."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311  (no secret)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


NEEDED: Mapping[str, tuple[str, ...]] = {"certificate": ("certificate", "private_key"), "kerberos": ()}
"""Secrets of a transport; a password for all others."""


def usable(credential: OpenedCredential | None, endpoint: Endpoint) -> OpenedCredential:
    """The credential, if it holds what the target's transport logs in with. Raises StepFault."""
    transport = endpoint.settings.transport
    needed = NEEDED.get(transport, ("password",))
    if credential is None or any(name not in credential.secrets for name in needed):
        raise endpoint.fault("credential_missing")
    if not credential.username and transport != "certificate":
        raise endpoint.fault("credential_missing")
    return credential
