"""One transaction that carries rows, the messages they cause, and the streams they concern."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from typing_extensions import TypeVar

from contracts.limits import MESSAGE_BYTES
from contracts.messages import Message, Meta
from infra.clock import now
from infra.database import Sessions, Statements
from infra.direct import direct_transaction
from infra.ids import uuid7

Session_co = TypeVar("Session_co", bound=Statements, default=AsyncSession, covariant=True)

HEAD_START_SECONDS = 5
"""How long the process's own relay has before a sweep takes a row over."""

_INSERT = text("""
    INSERT INTO outbox (exchange, routing_key, wire_type, body, meta, available_at)
    SELECT exchange, routing_key, wire_type, body::jsonb, meta::jsonb,
           COALESCE(due, now() + make_interval(secs => :head_start))
      FROM unnest(CAST(:exchanges AS text[]), CAST(:keys AS text[]), CAST(:types AS text[]),
                  CAST(:bodies AS text[]), CAST(:metas AS text[]), CAST(:dues AS timestamptz[]))
           WITH ORDINALITY AS t (exchange, routing_key, wire_type, body, meta, due, place)
     ORDER BY place
    RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A committed outbox row on its way to the broker."""

    id: int
    exchange: str
    routing_key: str
    wire_type: str
    body: bytes
    meta: dict[str, Any]


class Relay(Protocol):
    """Where a unit of work hands what it has committed."""

    def hand_over(self, rows: Sequence[Outgoing]) -> None: ...

    def ring(self, run_ids: set[UUID]) -> None: ...


@dataclass(slots=True)
class _Pending:
    message: Message
    meta: Meta
    due: datetime | None


def new_meta(*, principal: str, correlation_id: UUID | None = None, cause: Meta | None = None) -> Meta:
    """Metadata for a message; it continues the story of `cause` when there is one."""
    message_id = uuid7()
    return Meta(
        message_id=message_id,
        correlation_id=correlation_id or (cause.correlation_id if cause else message_id),
        causation_id=cause.message_id if cause else None,
        principal=principal,
        occurred_at=now(),
        traceparent=cause.traceparent if cause else None,
    )


class UnitOfWork(Generic[Session_co]):
    """Nobody calls commit: leaving the block commits, an exception rolls back."""

    def __init__(self, session: Session_co) -> None:
        self._session = session
        self._pending: list[_Pending] = []
        self._touched: set[UUID] = set()

    @property
    def session(self) -> Session_co:
        """Where the statements of this transaction go."""
        return self._session

    def emit(self, message: Message, meta: Meta, *, due: datetime | None = None) -> None:
        """Send `message` if, and only if, this transaction commits; not before `due`."""
        self._pending.append(_Pending(message, meta, due))

    def touch(self, run_id: UUID) -> None:
        """Rows that a stream of this run shows were written: ring open streams after the commit."""
        self._touched.add(run_id)

    async def flush(self) -> tuple[list[Outgoing], set[UUID]]:
        """Write the outbox rows; what is due at once is returned for the relay."""
        if not self._pending:
            return [], self._touched
        bodies = [_body(pending.message) for pending in self._pending]
        metas = [pending.meta.model_dump(mode="json", exclude_none=True) for pending in self._pending]
        rows = await self.session.execute(
            _INSERT,
            {
                "head_start": HEAD_START_SECONDS,
                "exchanges": [pending.message.exchange for pending in self._pending],
                "keys": [pending.message.routing_key for pending in self._pending],
                "types": [pending.message.wire_type for pending in self._pending],
                "bodies": [body.decode() for body in bodies],
                "metas": [orjson.dumps(meta).decode() for meta in metas],
                "dues": [pending.due for pending in self._pending],
            },
        )
        outgoing = [
            Outgoing(row_id, p.message.exchange, p.message.routing_key, p.message.wire_type, body, meta)
            for row_id, p, body, meta in zip(rows.scalars(), self._pending, bodies, metas, strict=True)
            if p.due is None
        ]
        return outgoing, self._touched


def _body(message: Message) -> bytes:
    body = message.model_dump_json().encode()
    if len(body) > MESSAGE_BYTES:
        raise ValueError(f"{message.wire_type} of {len(body)} bytes is over the limit of {MESSAGE_BYTES}")
    return body


OpenUnitOfWork = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
PlainUnitOfWork = UnitOfWork[Statements]
OpenPlainUnitOfWork = Callable[[], AbstractAsyncContextManager[PlainUnitOfWork]]
"""For plain SQL only. An ordinary unit of work is one, too."""


def unit_of_work(sessions: Sessions, relay: Relay) -> OpenUnitOfWork:
    """Opens units of work whose messages go to `relay` after the commit, never before."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with sessions.begin() as session:
            uow = UnitOfWork(session)
            yield uow
            outgoing, touched = await uow.flush()
        _hand_over(relay, outgoing, touched)

    return begin


def plain_unit_of_work(engine: AsyncEngine, relay: Relay) -> OpenPlainUnitOfWork:
    """The same for plain SQL, straight on the driver."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[PlainUnitOfWork]:
        async with direct_transaction(engine) as session:
            uow = PlainUnitOfWork(session)
            yield uow
            outgoing, touched = await uow.flush()
        _hand_over(relay, outgoing, touched)

    return begin


def _hand_over(relay: Relay, outgoing: Sequence[Outgoing], touched: set[UUID]) -> None:
    if outgoing:
        relay.hand_over(outgoing)
    if touched:
        relay.ring(touched)
