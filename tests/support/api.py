"""The gateway's application in the test's own process: real HTTP semantics, real database, no socket."""

import base64
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.access.roles import Role
from gateway.access.service import ensure_first_admin
from gateway.app import create_app
from gateway.deps import GatewayDeps, QueueDepth
from gateway.process import BrokerView, build_deps
from infra import tokens
from infra.clock import now
from infra.database import connect, sessions_of
from infra.ids import uuid7
from infra.outages import Gate
from infra.sealing import PrivateRing, PublicSealer, generate_pair
from infra.settings import Settings
from infra.unit_of_work import Outgoing
from tests.support.eventually import PATIENCE

PASSWORD = "an-Unlikely-phrase-7301"

PRIVATE_PEM, PUBLIC_PEM = generate_pair()


class CollectingRelay:
    """Keeps what units of work hand over after their commit."""

    def __init__(self) -> None:
        self.rows: list[Outgoing] = []
        self.rung: list[set[UUID]] = []

    def hand_over(self, rows: Sequence[Outgoing]) -> None:
        self.rows.extend(rows)

    def ring(self, run_ids: set[UUID]) -> None:
        self.rung.append(set(run_ids))

    def types(self) -> list[str]:
        return [row.wire_type for row in self.rows]


class _NoBroker(BrokerView):
    def __init__(self) -> None:
        self.checks: dict[str, str] = {"database": "ok", "broker": "ok"}

    async def readiness(self) -> Mapping[str, str]:
        return self.checks

    async def depths(self) -> Sequence[QueueDepth]:
        return [QueueDepth("orchestrator.start-run", 3, 1)]


@dataclass(kw_only=True)
class Api:
    """A gateway to talk to, and everything behind it to look at."""

    client: httpx2.AsyncClient
    deps: GatewayDeps
    engine: AsyncEngine
    relay: CollectingRelay
    checks: dict[str, str]
    app: Any
    ring: PrivateRing = field(default_factory=lambda: PrivateRing([PRIVATE_PEM]))

    async def token(self, role: Role = Role.ADMIN, *, name: str | None = None) -> str:
        """An access token of a new user with this role."""
        user_id = uuid7()
        username = name or f"{role.value}-{user_id.hex[-8:]}"
        async with self.engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO users (id, username, password_hash, role) VALUES (:id, :name, 'none', :role)"
                ),
                {"id": user_id, "name": username, "role": role.value},
            )
        return tokens.issue(
            self.deps.jwt_keys, user_id=user_id, name=username, role=role, token_version=1, now=now()
        )

    async def sign_in_as(self, role: Role) -> None:
        """Send a token of a user with this role from now on."""
        self.client.headers["authorization"] = f"Bearer {await self.token(role)}"

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).all())

    async def count(self, table: str) -> int:
        return int((await self.rows(f"SELECT count(*) FROM {table}"))[0][0])

    async def execute(self, sql: str, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def a_target(self, name: str = "web-1", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "os": "linux", "hostname": f"{name}.test"} | fields
        response = await self.client.post("/api/v1/targets", json=body)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def a_job(self, **fields: Any) -> dict[str, Any]:
        """A job that waits a second, unless told otherwise."""
        body = {"name": "waits", "steps": [{"type": "wait", "seconds": 1}]} | fields
        response = await self.client.post("/api/v1/jobs", json=body)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def a_run(self, job: Mapping[str, Any] | None = None, **body: Any) -> UUID:
        job = job or await self.a_job()
        response = await self.client.post(f"/api/v1/jobs/{job['id']}/run", json=body)
        assert response.status_code == 202, response.text
        return UUID(response.json()["id"])


def settings_for(url: str, **more: Any) -> Settings:
    key = base64.b64encode(os.urandom(48)).decode()
    return Settings(
        database_url=url,
        amqp_url="amqp://127.0.0.1",
        jwt_keys=f"test:{key}",
        seal_public_key=PUBLIC_PEM,
        **more,
    )


@asynccontextmanager
async def gateway(url: str, *, pool_size: int = 10) -> AsyncIterator[Api]:
    """A gateway over this database, an administrator signed in."""
    engine = connect(url, name="tests", pool_size=pool_size)

    async def ping() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    relay, broker, gate = CollectingRelay(), _NoBroker(), Gate(ping)
    deps = build_deps(
        settings_for(url),
        sessions=sessions_of(engine),
        relay=relay,
        gate=gate,
        sealer=PublicSealer(PUBLIC_PEM),
        broker=broker,
    )
    app = create_app(deps)
    transport = httpx2.ASGITransport(app)
    url = "http://gateway.test"
    async with httpx2.AsyncClient(transport=transport, base_url=url, timeout=PATIENCE) as client:
        api = Api(client=client, deps=deps, engine=engine, relay=relay, checks=broker.checks, app=app)
        await api.sign_in_as(Role.ADMIN)
        yield api
        await deps.accept.flush()
        await deps.hub.close()
    deps.passwords.close()
    await gate.close()
    await engine.dispose()


async def with_first_admin(api: Api) -> None:
    await ensure_first_admin(api.deps.open_uow, api.deps.passwords, password=PASSWORD)
