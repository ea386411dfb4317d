"""Connections to PostgreSQL."""

from collections.abc import Mapping
from typing import Any, Protocol

import orjson
from sqlalchemy import TextClause
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]


class Statements(Protocol):
    """What plain SQL needs of a transaction: a session has it, and so has one straight on the driver."""

    async def execute(self, statement: TextClause, values: Mapping[str, Any] | None = None, /) -> Any: ...

    async def scalars(self, statement: TextClause, values: Mapping[str, Any] | None = None, /) -> Any: ...

    async def scalar(self, statement: TextClause, values: Mapping[str, Any] | None = None, /) -> Any: ...


CONNECT_SECONDS = 5.0
POOL_WAIT_SECONDS = 10.0


def connect(url: str, *, name: str, pool_size: int = 10) -> AsyncEngine:
    """An engine whose connections give up on an open transaction instead of holding streams back.

    `name` is what the server shows for them. Nothing connects before first use. The connection that was used
    last is used next: it has the statements planned.
    """
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,
        pool_pre_ping=False,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "server_settings": {
                "application_name": f"opsconductor {name}",
                "idle_in_transaction_session_timeout": "30000",
                "jit": "off",
            },
        },
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=True)


def engine_of(sessions: Sessions) -> AsyncEngine:
    """The engine whose connections these sessions use."""
    engine: AsyncEngine = sessions.kw["bind"]
    return engine
