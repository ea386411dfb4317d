"""Connections to jump hosts, which carry the connections to the machines behind them."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from uuid import UUID

import asyncssh

from contracts.causes import CAUSES
from workers.executor.steps.base import (
    JumpHop,
    OpenedCredential,
    StepFault,
    TargetView,
)
from workers.executor.steps.logging_in import Logins, NobodyElse
from workers.executor.steps.ssh_exec.logins import log_in


def path_of(target: TargetView, credential: OpenedCredential) -> Hashable:
    """What makes a connection the same: the machine, the account, and all of the way there."""
    jump = target.jump
    before = None if jump is None else path_of(jump.target, jump.credential)
    account = (credential.id, credential.version, credential.username)
    return (target.id, target.hostname, target.ssh, *account, before)


@dataclass(eq=False, slots=True)
class Carrier:
    """One open connection to a jump host and what goes through it."""

    connection: asyncssh.SSHClientConnection
    before: "Carrier | None"
    passengers: int = 0
    idle: asyncio.TimerHandle | None = None


class Carriers:
    """One connection per jump host and account, closed when nothing has gone through it for a while."""

    def __init__(self, *, connect_seconds: float, idle_seconds: float, logins: Logins | None = None) -> None:
        self._logins = logins or NobodyElse()
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._open: dict[Hashable, Carrier] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._rejected: dict[Hashable, tuple[float, StepFault]] = {}

    async def board(self, target: TargetView, *, run_id: UUID | None = None) -> Carrier | None:
        """A place on the way to `target`, to be left again; None where no jump host is needed.

        Raises `StepFault` whose words name the jump host that failed.
        """
        if target.jump is None:
            return None
        path = path_of(target.jump.target, target.jump.credential)
        asked = asyncio.get_running_loop().time()
        async with self._locks.setdefault(path, asyncio.Lock()):
            carrier = self._open.get(path)
            if carrier is None or carrier.connection.is_closed():
                since, rejection = self._rejected.get(path, (0.0, None))
                if rejection is not None and since > asked:
                    raise rejection  # whoever waited meanwhile must not knock with the same secret
                carrier = self._open[path] = await self._connected(path, target.jump, target, run_id)
            carrier.passengers += 1
            if carrier.idle is not None:
                carrier.idle.cancel()
                carrier.idle = None
            return carrier

    def leave(self, carrier: Carrier | None) -> None:
        if carrier is None:
            return
        carrier.passengers -= 1
        if not carrier.passengers and carrier.idle is None:
            loop = asyncio.get_running_loop()
            carrier.idle = loop.call_later(self._idle_seconds, self._close, carrier)

    async def close(self) -> None:
        carriers = list(self._open.values())
        for carrier in carriers:
            self._close(carrier)
        for carrier in carriers:
            await carrier.connection.wait_closed()

    async def _connected(
        self, path: Hashable, hop: JumpHop, target: TargetView, run_id: UUID | None
    ) -> Carrier:
        before = await self.board(hop.target, run_id=run_id)
        try:
            async with self._logins.first(hop.target, hop.credential, run_id=run_id):
                connection = await log_in(
                    hop.target,
                    hop.credential,
                    time_limit=self._connect_seconds,
                    tunnel=before.connection if before else None,
                )
        except StepFault as missed:
            self.leave(before)
            failed = _at_the_jump_host(missed, hop.target, target)
            if failed.cause.code == "jump_rejected":
                self._rejected[path] = asyncio.get_running_loop().time(), failed
            raise failed from None
        except BaseException:
            self.leave(before)
            raise
        return Carrier(connection, before)

    def _close(self, carrier: Carrier) -> None:
        if carrier.idle is not None:
            carrier.idle.cancel()
            carrier.idle = None
        for path in [path for path, known in self._open.items() if known is carrier]:
            del self._open[path]
            self._locks.pop(path, None)
        carrier.connection.close()
        before, carrier.before = carrier.before, None
        self.leave(before)


_CODES = {"auth_rejected": "jump_rejected", "credential_held": "jump_missing"}
"""What a fault at a target is called where it happens on the way to one."""


def _at_the_jump_host(missed: StepFault, jump: TargetView, target: TargetView) -> StepFault:
    """The same, saying that it happened on the way and not at the target."""
    if "jump_host" in missed.words:
        return missed  # an earlier one on the way has said so already
    code = _CODES.get(missed.cause.code, missed.cause.code)
    detail = str(missed.words.get("detail") or CAUSES[code].code)
    if missed.cause.code == "credential_held":
        detail = f"its credential is on hold: {detail}"
    told = {
        **missed.words,
        "jump_host": jump.name,
        "detail": f"{detail}; it is {jump.name}, a jump host on the way to {target.name}",
    }
    return StepFault(code, acted=missed.acted, **told)
