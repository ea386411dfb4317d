"""What endpoints ask for: a session to read with, a unit of work to write with, and who is asking."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Permission, allows
from gateway.access.limits import LoginLimiter
from gateway.idempotency import RequestKey, RequestKeys
from gateway.jobs.definitions import Definitions
from gateway.live.hub import Hub
from gateway.live.tickets import Tickets
from gateway.principals import Principal, Principals
from gateway.queues.flow import DepthHistory
from gateway.runs.requests import Accepted, RunRequest
from infra.artifacts import ArtifactStore
from infra.batching import Batcher
from infra.database import Sessions
from infra.jwt_keys import JwtKeys
from infra.outages import Gate
from infra.passwords import Passwords
from infra.sealing import Sealer
from infra.settings import Settings
from infra.unit_of_work import OpenUnitOfWork, Relay, UnitOfWork

Readiness = Mapping[str, str]
"""What is checked, and what is wrong with it; `ok` when nothing is."""


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """One durable queue; `depth` and `consumers` are None when it does not exist."""

    name: str
    depth: int | None
    consumers: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDeps:
    """Everything the gateway is made of; whoever starts a process builds it."""

    settings: Settings
    sessions: Sessions
    open_uow: OpenUnitOfWork
    relay: Relay
    gate: Gate
    sealer: Sealer
    jwt_keys: JwtKeys = field(repr=False)
    principals: Principals
    passwords: Passwords
    request_keys: RequestKeys
    definitions: Definitions
    accept: Batcher[RunRequest, Accepted]
    artifacts: ArtifactStore
    hub: Hub
    tickets: Tickets
    login_limiter: LoginLimiter
    readiness: Callable[[], Awaitable[Readiness]]
    queue_depths: Callable[[], Awaitable[Sequence[QueueDepth]]]
    depth_history: DepthHistory


def deps_of(request: Request) -> GatewayDeps:
    deps: GatewayDeps = request.app.state.deps
    return deps


async def _deps(request: Request) -> GatewayDeps:
    return deps_of(request)


async def _reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with deps_of(request).sessions() as session:
        yield session


async def _writing(request: Request) -> AsyncIterator[UnitOfWork]:
    async with deps_of(request).open_uow() as uow:
        yield uow


async def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["principal"]
    return principal


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, and in which request: what an audit row records."""

    principal: str
    project_id: UUID
    request_id: UUID
    may_use_credentials: bool = False
    """Whether they may choose one for a run."""


def actor_of(request: Request) -> Actor:
    """Who sends this request."""
    principal: Principal = request.scope["principal"]
    return Actor(
        principal.id,
        principal.project_id,
        request.scope["request_id"],
        may_use_credentials=allows(principal.role, Permission.CREDENTIALS_USE),
    )


async def _actor(request: Request) -> Actor:
    return actor_of(request)


async def _request_key(
    request: Request, idempotency_key: Annotated[str | None, Header()] = None
) -> RequestKey | None:
    principal: Principal = request.scope["principal"]
    return deps_of(request).request_keys.of(
        idempotency_key,
        principal=principal.id,
        route=f"{request.method} {request.url.path}",
        body=await request.body(),
    )


Deps = Annotated[GatewayDeps, Depends(_deps)]
Reading = Annotated[AsyncSession, Depends(_reading, scope="function")]
Writing = Annotated[UnitOfWork, Depends(_writing, scope="function")]
Caller = Annotated[Principal, Depends(_principal)]
Who = Annotated[Actor, Depends(_actor)]
Key = Annotated[RequestKey | None, Depends(_request_key)]
