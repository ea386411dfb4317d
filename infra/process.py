"""What every worker process has: connections, relay, consumers, health, and an orderly end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from sqlalchemy import text

from infra.broker import Publisher
from infra.consuming import Consumers
from infra.database import connect, sessions_of
from infra.ending import END_SECONDS, cancelled, quietly
from infra.health import HealthServer
from infra.migrations.run import check_schema
from infra.outages import Gate
from infra.relay import OutboxRelay
from infra.settings import Settings
from infra.unit_of_work import plain_unit_of_work

Loop = Callable[[], Awaitable[None]]

log = structlog.get_logger()


class Process:
    """The shared parts of one worker process. Roles install themselves into it before `run`."""

    def __init__(self, settings: Settings, *, name: str, pool_size: int = 10) -> None:
        self.settings = settings
        self.name = name
        self.engine = connect(settings.database_url, name=name, pool_size=pool_size)
        self.sessions = sessions_of(self.engine)
        self.gate = Gate(self.ping_database)
        self.relay = OutboxRelay(self.sessions, Publisher(settings.amqp_url, name=name), self.gate)
        self.open_uow = plain_unit_of_work(self.engine, self.relay)
        self.consumers = Consumers(
            settings.amqp_url, queue_type=settings.queue_type, gate=self.gate, sessions=self.sessions
        )
        self._before: list[Loop] = []
        self._loops: list[Loop] = []
        self._drains: list[Loop] = []
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._connecting: asyncio.Task[None] | None = None

    def before_consuming(self, step: Loop) -> None:
        """Await `step` once, after the database is known to be good and before any work is looked for."""
        self._before.append(step)

    def run_while_alive(self, loop: Loop) -> None:
        """Run `loop` until the process is told to stop."""
        self._loops.append(loop)

    def at_drain(self, step: Loop) -> None:
        """Await `step` after consuming has stopped, in order of registration."""
        self._drains.append(step)

    async def ping_database(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    def stop(self) -> None:
        """Ask the process to drain and end."""
        self._stop.set()

    async def readiness(self) -> dict[str, str]:
        """What is not ready and why; empty when everything is."""
        problems = {}
        try:
            async with asyncio.timeout(3):
                await check_schema(self.engine)
        except Exception as error:
            problems["database"] = f"{type(error).__name__}: {error}"[:300]
        if not self.consumers.connected:
            problems["broker"] = "consumers are not connected"
        return problems

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then stop consuming, drain and disconnect."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        health = HealthServer(self.settings, readiness=self.readiness)
        await health.start()
        try:
            if await self._start():
                log.info("process.ready", name=self.name, health_port=health.port)
                await self._stop.wait()
            log.info("process.draining", name=self.name)
        finally:
            await self._end()
            await health.stop()
            log.info("process.stopped", name=self.name)

    async def _start(self) -> bool:
        """Everything up, waiting for a database that is not there yet; False when told to stop before."""
        await self._until_it_works(lambda: check_schema(self.engine), "database")
        if self._stop.is_set():
            return False
        self.relay.start()
        for step in self._before:
            await self.gate.run(step)
        self._tasks = [asyncio.create_task(_forever(loop), name=f"loop {loop}") for loop in self._loops]
        # Without the broker the loops find their work in the database: slower, not stopped.
        self._connecting = asyncio.create_task(
            self._until_it_works(self.consumers.start, "broker"), name="broker-connect"
        )
        return True

    async def _until_it_works(self, step: Loop, what: str) -> None:
        delay = 0.2
        while not self._stop.is_set():
            try:
                await step()
            except Exception as error:
                log.warning("process.waiting", what=what, error=str(error)[:300])
            else:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)
            delay = min(delay * 2, 5.0)

    async def _end(self) -> None:
        if self._connecting is not None:
            await cancelled(self._connecting)
        await quietly(self.consumers.stop, "consumers")
        for step in self._drains:
            await quietly(step, "drain", seconds=self.settings.drain_seconds + 3 * END_SECONDS)
        await cancelled(*self._tasks)
        await quietly(self.relay.stop, "relay")
        await self.gate.close()
        await quietly(self.engine.dispose, "database")


async def _forever(loop: Loop) -> None:
    """A loop that ends by an error is a bug: say so and begin it again."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("process.loop_failed")
        await asyncio.sleep(1)


__all__: Sequence[str] = ("Process",)
