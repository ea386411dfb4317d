"""The database as `up` uses it directly: its schema, and who the first administrator is."""

from dataclasses import dataclass
from uuid import UUID

import httpx2
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.client.problems import CliError
from contracts.access.roles import Role
from contracts.tables.access import UserRow
from infra import tokens
from infra.broker import declare_topology
from infra.clock import now
from infra.jwt_keys import JwtKeys
from infra.migrations.run import migrate
from infra.settings import Settings


async def prepare_all(engine: AsyncEngine, settings: Settings) -> None:
    """Schema and broker topology as this program needs them."""
    await migrate(engine)
    await declare_topology(settings.amqp_url, queue_type=settings.queue_type, pools=settings.pools)


async def has_users(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return await connection.scalar(select(UserRow.id).limit(1)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    id: UUID
    username: str
    token_version: int


async def first_administrator(engine: AsyncEngine) -> Administrator | None:
    """The oldest account that is active and an administrator."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                select(UserRow.id, UserRow.username, UserRow.token_version)
                .where(UserRow.active, UserRow.role == Role.ADMIN.value)
                .order_by(UserRow.created_at, UserRow.id)
                .limit(1)
            )
        ).one_or_none()
    if row is None:
        return None
    return Administrator(id=row.id, username=row.username, token_version=row.token_version)


class MintedTokens:
    """Access tokens that `up` signs itself, for the first administrator, for its own calls.

    `up` made the signing key and keeps it in its data folder, so it may speak for the account it created
    without knowing that account's password, which its owner has changed by now. A token lives 15 minutes,
    is never stored or printed, and what is done with it stands in the audit trail like any other call.
    """

    def __init__(self, engine: AsyncEngine, keys: JwtKeys) -> None:
        self._engine = engine
        self._keys = keys

    async def token(self, _client: httpx2.AsyncClient) -> str:
        administrator = await first_administrator(self._engine)
        if administrator is None:
            raise CliError(
                "There is no active administrator.",
                hints=("Make one usable again: opsconductor admin reset-password",),
            )
        return tokens.issue(
            self._keys,
            user_id=administrator.id,
            name=administrator.username,
            role=Role.ADMIN,
            token_version=administrator.token_version,
            now=now(),
        )

    async def renewed(self, client: httpx2.AsyncClient, refused: str) -> str:
        fresh = await self.token(client)
        if fresh == refused:
            raise CliError("The gateway refuses tokens signed with the key of this data folder.")
        return fresh
