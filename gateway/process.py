"""Composition root of a gateway process: connections, parts, and their order of coming and going."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from fastapi import FastAPI
from sqlalchemy import text

from contracts import topology
from contracts.messages import Meta
from contracts.runs.messages import RunsChanged
from gateway.access.limits import LoginLimiter
from gateway.access.service import ensure_first_admin
from gateway.app import create_app
from gateway.deps import GatewayDeps, QueueDepth, Readiness
from gateway.idempotency import RequestKeys
from gateway.jobs.definitions import Definitions
from gateway.live.hub import Hub
from gateway.live.rooms import Rooms
from gateway.live.tickets import Tickets
from gateway.principals import Principals
from gateway.queues.flow import DepthHistory
from gateway.runs.accept import Acceptor
from gateway.runs.requests import Accepted, RunRequest
from infra.artifacts import ArtifactStore
from infra.batching import Batcher
from infra.broker import Publisher, queue_depths
from infra.consuming import Consumers
from infra.database import Sessions, connect, engine_of, sessions_of
from infra.ending import cancelled, quietly
from infra.ids import uuid7
from infra.jwt_keys import parse_jwt_keys
from infra.migrations.run import check_schema
from infra.outages import Gate
from infra.passwords import Passwords
from infra.relay import OutboxRelay
from infra.sealing import PublicSealer, Sealer
from infra.settings import Settings, read_key
from infra.unit_of_work import Relay, plain_unit_of_work, unit_of_work

POOL_SIZE = 10
READY_SECONDS = 3.0
START_SECONDS = 60.0
"""How long a start waits for a database that is not up yet."""

_POOLS = text("""
    SELECT DISTINCT pool FROM targets WHERE archived_at IS NULL UNION SELECT :default ORDER BY 1
""")

log = structlog.get_logger()


def build_deps(
    settings: Settings, *, sessions: Sessions, relay: Relay, gate: Gate, sealer: Sealer, broker: "BrokerView"
) -> GatewayDeps:
    """The parts of the application over these connections. Starts nothing."""
    keys = parse_jwt_keys(settings.jwt_keys)
    open_uow = unit_of_work(sessions, relay)
    definitions = Definitions()
    accept: Batcher[RunRequest, Accepted] = Batcher(
        Acceptor(plain_unit_of_work(engine_of(sessions), relay), definitions, sealer), gate=gate
    )
    return GatewayDeps(
        settings=settings,
        sessions=sessions,
        open_uow=open_uow,
        relay=relay,
        gate=gate,
        sealer=sealer,
        jwt_keys=keys,
        principals=Principals(sessions, keys),
        passwords=Passwords(),
        request_keys=RequestKeys(keys),
        definitions=definitions,
        accept=accept,
        artifacts=ArtifactStore(engine_of(sessions), max_bytes=settings.artifact_max_bytes),
        hub=Hub(sessions, definitions, Rooms(sessions, broker.depths)),
        tickets=Tickets(time.monotonic),
        login_limiter=LoginLimiter(time.monotonic),
        readiness=broker.readiness,
        queue_depths=broker.depths,
        depth_history=DepthHistory(broker.depths),
    )


class BrokerView(Protocol):
    """What the gateway says about the things it depends on."""

    async def readiness(self) -> Readiness: ...

    async def depths(self) -> Sequence[QueueDepth]: ...


class GatewayProcess(BrokerView):
    """One gateway. HTTP is served while the broker is away; streams then rely on looking."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = connect(settings.database_url, name="gateway", pool_size=POOL_SIZE)
        self.sessions = sessions_of(self.engine)
        self.gate = Gate(self._ping)
        self.relay = OutboxRelay(
            self.sessions, Publisher(settings.amqp_url, name="gateway"), self.gate, sweeps=False
        )
        self.consumers = Consumers(
            settings.amqp_url, queue_type=settings.queue_type, gate=self.gate, sessions=self.sessions
        )
        self.deps = build_deps(
            settings,
            sessions=self.sessions,
            relay=self.relay,
            gate=self.gate,
            sealer=PublicSealer(read_key(settings.seal_public_key)),
            broker=self,
        )
        self.app = create_app(self.deps)
        self.app.router.lifespan_context = self.lifespan
        self._connecting: asyncio.Task[None] | None = None
        self._sampling: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """From a database that can be used to everything given back."""
        await self.gate.run(lambda: check_schema(self.engine), patience=START_SECONDS)
        await ensure_first_admin(
            self.deps.open_uow,
            self.deps.passwords,
            password=self.settings.bootstrap_admin_password,
            must_change=self.settings.bootstrap_admin_must_change,
        )
        self.relay.start()
        self.consumers.hear(RunsChanged, self._on_runs_changed, owner=f"gateway.{uuid7()}")
        self._connecting = asyncio.create_task(self._connect(), name="broker-connect")
        self._sampling = asyncio.create_task(self.deps.depth_history.run(), name="queue-samples")
        try:
            yield
        finally:
            await self._close()

    async def _on_runs_changed(self, event: RunsChanged, _meta: Meta) -> None:
        self.deps.hub.ring(event.run_ids)

    async def _connect(self) -> None:
        delay = 0.2
        while True:
            try:
                await self.consumers.start()
            except Exception as error:
                log.warning("gateway.waits_for_broker", error=str(error)[:300])
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
            else:
                return

    async def _close(self) -> None:
        await self.deps.hub.close()
        for task in (self._connecting, self._sampling):
            if task is not None:
                await cancelled(task)
        await quietly(self.consumers.stop, "consumers")
        await quietly(self.deps.accept.flush, "accepting")
        await quietly(self.relay.stop, "relay")
        self.deps.passwords.close()
        await self.gate.close()
        await quietly(self.engine.dispose, "database")

    async def _ping(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def readiness(self) -> Readiness:
        checks = {"database": "ok", "broker": "ok" if self.consumers.connected else "not connected"}
        try:
            async with asyncio.timeout(READY_SECONDS):
                await check_schema(self.engine)
        except Exception as error:
            log.warning("gateway.not_ready", error=str(error)[:300])
            checks["database"] = type(error).__name__
        return checks

    async def depths(self) -> Sequence[QueueDepth]:
        names = [queue.name for queue in topology.durable_queues(await self._pools())]
        found = await queue_depths(self.settings.amqp_url, names)
        return [
            QueueDepth(q.name, q.messages, q.consumers)
            if q.consumers >= 0
            else QueueDepth(q.name, None, None)
            for q in found
        ]

    async def _pools(self) -> list[str]:
        async with self.sessions() as session:
            return list(await session.scalars(_POOLS, {"default": topology.DEFAULT_POOL}))
