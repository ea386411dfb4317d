"""Connecting to a server that has just been started, and the role and database that the application uses."""

import asyncio
from typing import Any

import asyncpg

from infra.embedded.errors import ServiceFailed
from infra.embedded.ports import LOOPBACK
from infra.embedded.postgres.cluster import SUPERUSER, Folder, secret

ROLE = "opsconductor"
DATABASE = "opsconductor"
CONNECT_SECONDS = 10.0
EVERY_SECONDS = 0.02
NOT_UP_YET = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)


async def until_ready(folder: Folder, port: int) -> None:
    """Return once the application's role can use its database, made now if missing. Waits without limit."""
    while True:
        try:
            await _check_application(folder, port)
        except NOT_UP_YET:
            await asyncio.sleep(EVERY_SECONDS)  # starting, or recovering from a crash
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidCatalogNameError):
            return await _set_up(folder, port)
        else:
            return None


async def _set_up(folder: Folder, port: int) -> None:
    try:
        await _provision(folder, port)
        await _check_application(folder, port)
    except asyncpg.PostgresError as error:
        raise ServiceFailed(f"The database {DATABASE} could not be set up: {error}.") from error


async def _check_application(folder: Folder, port: int) -> None:
    connection = await _connect(port, user=ROLE, password=secret(folder.password), database=DATABASE)
    await connection.close()


async def _provision(folder: Folder, port: int) -> None:
    """The application's role is no superuser: a hole in a query must not become a shell on this machine."""
    password = secret(folder.password)
    try:
        connection = await _connect(
            port, user=SUPERUSER, password=secret(folder.superuser_password), database="postgres"
        )
    except asyncpg.InvalidPasswordError as error:
        raise ServiceFailed(
            f"The password in {folder.superuser_password} does not open the data in {folder.cluster}. "
            f"Restore both from the same backup."
        ) from error
    try:
        known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE)
        verb = "ALTER" if known else "CREATE"
        # Our own generated letters, digits, - and _; a role statement takes no parameters.
        await connection.execute(f"{verb} ROLE {ROLE} LOGIN PASSWORD '{password}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    finally:
        await connection.close()


async def _connect(port: int, *, user: str, password: str, database: str) -> Any:
    return await asyncpg.connect(
        host=LOOPBACK, port=port, user=user, password=password, database=database,
        ssl=False, timeout=CONNECT_SECONDS,
    )  # fmt: skip
