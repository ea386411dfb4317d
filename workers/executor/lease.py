"""This executor's right to act: a lease renewed by heartbeat, checked again right before every act."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from uuid import UUID

import structlog
from sqlalchemy import text

from contracts.runs import looks
from infra.ids import uuid7
from infra.outages import is_outage
from infra.process import Process
from infra.settings import Settings
from workers import leases
from workers.executor.steps.base import Fenced

TASKS_TO_STOP = 1_000

log = structlog.get_logger()


class Lease:
    """One lease after another: when one runs out, everything held is let go and a new id begins.

    `on_fenced` is awaited before the new id is registered; `on_cancel` gets tasks whose run is to stop.
    """

    def __init__(
        self,
        process: Process,
        *,
        on_fenced: Callable[[], Awaitable[None]],
        on_cancel: Callable[[list[UUID]], None],
    ) -> None:
        self._process = process
        self._settings: Settings = process.settings
        self._on_fenced = on_fenced
        self._on_cancel = on_cancel
        self._renewed_at = 0.0
        self.worker_id = uuid7()
        self.held = False

    def check(self) -> None:
        """Raises `Fenced` when two thirds of the lease have gone by on this machine's own clock."""
        if not self.fresh:
            raise Fenced

    @property
    def fresh(self) -> bool:
        """Whether `check` would pass."""
        return self.held and time.monotonic() - self._renewed_at <= self._settings.lease_seconds * 2 / 3

    async def acquire(self) -> None:
        """Register under a new id."""
        started = time.monotonic()
        self.worker_id = uuid7()
        facts = leases.WorkerFacts(
            id=self.worker_id,
            roles=["executor"],
            pools=self._settings.pools,
            slots=self._settings.slots,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("opsconductor"),
        )
        async with self._process.sessions.begin() as session:
            await leases.register(session, facts, lease_seconds=self._settings.lease_seconds)
        self._renewed_at = started
        self.held = True
        log.info("lease.acquired", worker_id=str(self.worker_id))

    async def keep(self) -> None:
        """Heartbeat for ever; self-fence when the lease is lost."""
        while True:
            await asyncio.sleep(self._settings.heartbeat)
            if not await self._renewed():
                await self._fence()

    async def _renewed(self) -> bool:
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.heartbeat), self._process.sessions.begin() as session:
                alive = await leases.renew(
                    session, self.worker_id, lease_seconds=self._settings.lease_seconds
                )
                to_stop = await session.scalars(
                    text(looks.CANCEL_REQUESTED.sql),
                    {"worker_id": self.worker_id, "limit": TASKS_TO_STOP},
                )
                task_ids = list(to_stop)
        except Exception as error:
            if not (is_outage(error) or isinstance(error, TimeoutError)):
                log.exception("lease.renewal_failed")
            return self.fresh
        if alive:
            self._renewed_at = started
            if task_ids:
                self._on_cancel(task_ids)
        return alive

    async def _fence(self) -> None:
        log.warning("lease.lost", worker_id=str(self.worker_id))
        self.held = False
        await self._on_fenced()
        await self._process.gate.run(self.acquire, patience=float("inf"))

    async def drain(self) -> None:
        """Tell everybody that this executor takes no more work. Nothing waits for it, nothing fails by it."""
        try:
            async with asyncio.timeout(self._settings.heartbeat), self._process.sessions.begin() as session:
                await leases.draining(session, self.worker_id)
        except Exception as error:
            log.warning("lease.draining_untold", error=str(error)[:300])

    async def give_back(self, *, reason: str) -> int:
        """End the lease now; what is still running is offered to others. How many tasks that were."""
        self.held = False
        async with self._process.open_uow() as uow:
            return await leases.release(uow, self.worker_id, reason=reason)
