"""Carrying out connection tests beside the steps, in a few slots of their own."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from contracts.errors import SealBroken
from contracts.targets import looks
from contracts.targets.specs import SshSettings, WinrmSettings
from infra.blocking import BlockingPool
from infra.outages import StillDown, is_outage
from infra.process import Process
from workers.executor import holds
from workers.executor.holds import Rejected
from workers.executor.jumps import Way, first_of, hops_of
from workers.executor.lease import Lease
from workers.executor.logins import FirstLogins
from workers.executor.seats import TestSeat
from workers.executor.steps.base import JumpHop, OpenedCredential, StepFault, TargetView
from workers.executor.steps.winrm.names import names_of_test
from workers.executor.testing import store
from workers.executor.testing.examine import Result, examine, unready
from workers.executor.testing.seating import Seat, Turns, Unseated
from workers.executor.testing.store import ClaimedTest
from workers.executor.vault import SealedVault

SLOTS = 8
"""Tests at once in one process: steps have slots of their own, so neither keeps the other waiting."""

log = structlog.get_logger()


class Tester:
    """Claims requested tests when rung, when a slot is freed, and every few seconds."""

    def __init__(
        self,
        process: Process,
        lease: Lease,
        vault: SealedVault,
        logins: FirstLogins,
        *,
        slots: int = SLOTS,
    ) -> None:
        self._process = process
        self._lease = lease
        self._vault = vault
        self._logins = logins
        self._slots = slots
        self._pool = BlockingPool("connection-test", 2 * slots)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, _test_id: UUID) -> None:
        """A test was requested; which one is read from the database."""
        self._wake.set()

    async def loop(self) -> None:
        """Claim for ever."""
        seconds = looks.TEST_CONNECTION.seconds
        while not self._closed:
            try:
                async with asyncio.timeout(seconds * random.uniform(0.75, 1.25)):  # noqa: S311
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._process.gate.run(self._fill)
            except StillDown:
                continue
            except Exception as error:
                if not is_outage(error):
                    log.exception("connection_test.claim_failed")

    async def _fill(self) -> None:
        free = self._slots - len(self._running)
        if self._closed or free <= 0 or not self._lease.fresh:
            return
        worker_id = self._lease.worker_id
        async with self._process.open_uow() as uow:
            tests = await store.claim(
                uow.session, worker_id=worker_id, pools=self._process.settings.pools, limit=free
            )
            ways = [Way(test.id, test.project_id, name) for test in tests if (name := first_of(test.reach))]
            hops = await hops_of(uow.session, ways)
            for test in tests:
                await store.audit_use(uow.session, test, hops.get(test.id, ()))
        for test in tests:
            running = asyncio.create_task(
                self._carry_out(test, hops.get(test.id, ()), worker_id), name=f"test {test.id}"
            )
            self._running.add(running)
            running.add_done_callback(self._ended)

    def _ended(self, running: "asyncio.Task[None]") -> None:
        self._running.discard(running)
        if not running.cancelled() and (error := running.exception()):
            log.error("connection_test.lost", exc_info=error)
        self._wake.set()

    async def _carry_out(self, test: ClaimedTest, hops: Sequence[Mapping[str, Any]], worker_id: UUID) -> None:
        result = await self._result(test, hops, self._seat(test, worker_id))
        rejected = _rejected(test, hops, result)
        await self._process.gate.run(lambda: self._end(test, result, rejected, worker_id))

    def _seat(self, test: ClaimedTest, worker_id: UUID) -> Seat:
        if test.credential is None or not test.of_the_target:
            return Unseated()
        return TestSeat(
            sessions=self._process.sessions,
            test_id=test.id,
            tries=test.tries,
            worker_id=worker_id,
            target_id=test.target_id,
            account=test.credential["username"],
            protocol=test.transport,
        )

    async def _result(self, test: ClaimedTest, hops: Sequence[Mapping[str, Any]], seat: Seat) -> Result:
        try:
            way = self._vault.hops(test.project_id, hops)
            target, credential = _target(test, way[0] if way else None), self._credential(test)
        except (SealBroken, StepFault, ValidationError) as error:
            return unready(test.transport, error)
        turns = Turns(self._logins, elsewhere=not test.of_the_target, even_if_held=test.even_if_held)
        names = names_of_test(test.id, test.tries)
        return await examine(
            test.transport, target, credential, self._pool, seat=seat, turns=turns, names=names
        )

    def _credential(self, test: ClaimedTest) -> OpenedCredential | StepFault | None:
        row = test.credential
        if row is None:
            return None
        held = row["held_reason"] or row["held_here"]
        if held and not test.even_if_held:
            return StepFault(
                "credential_held", host=test.reach["hostname"], user=row["username"], detail=held
            )
        return self._vault.opened(test.project_id, row)

    async def _end(
        self, test: ClaimedTest, result: Result, rejected: Rejected | None, worker_id: UUID
    ) -> None:
        async with self._process.open_uow() as uow:
            ours = await store.end(uow.session, test, result, worker_id=worker_id)
            if ours and rejected is not None:
                await holds.put_on_hold(uow.session, [rejected])
        if not ours:
            log.warning("connection_test.came_too_late", test_id=str(test.id))

    async def let_go(self) -> None:
        """End every test here; whoever takes over the lease begins them again."""
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def drain(self) -> None:
        """Begin nothing more, let go of what is under way, close the threads."""
        self._closed = True
        self._wake.set()
        await self.let_go()
        self._pool.close()


def _target(test: ClaimedTest, jump: JumpHop | None) -> TargetView:
    reach = test.reach
    return TargetView(
        id=test.target_id,
        name=reach["name"],
        hostname=reach["hostname"],
        os=reach["os"],
        winrm=WinrmSettings.model_validate(reach["winrm"]),
        ssh=SshSettings.model_validate(reach["ssh"]),
        jump=jump,
    )


def _rejected(test: ClaimedTest, hops: Sequence[Mapping[str, Any]], result: Result) -> Rejected | None:
    """What is to be held back: the target's credential where the target is, a jump host's in any case."""
    if result.fault is None:
        return None
    found = holds.rejected_where(
        result.fault.cause.code,
        result.fault.words,
        target={"id": test.target_id} if test.of_the_target else None,
        credential=test.credential,
        jumps=hops,
    )
    if found is None:
        return None
    target_id, credential = found
    return Rejected(
        credential_id=credential["credential_id"],
        version=credential["credential_version"],
        target_id=target_id,
        run_id=None,
        reason=str((result.error or {}).get("message", "")),
    )
