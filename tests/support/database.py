"""A migrated PostgreSQL database for tests."""

import asyncio
import atexit
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import connect
from infra.embedded.ports import free_port
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.postgres.cluster import SUPERUSER, Folder
from infra.migrations.run import migrate

EMBEDDED_PORT = 55_432
DEFAULT_URL = "postgresql://postgres@127.0.0.1:5432/postgres"


@cache
def server_url() -> str:
    """A server that lets us create databases: the one we are told of, one on the usual port, or our own.

    `OPS_TEST_DATABASE_URL=embedded` takes our own even where another one answers.
    """
    told = os.environ.get("OPS_TEST_DATABASE_URL")
    if told == "embedded":
        return _embedded_server()
    if told:
        return told
    with socket.socket() as probe:
        probe.settimeout(1)
        answers = probe.connect_ex(("127.0.0.1", 5432)) == 0
    return DEFAULT_URL if answers else _embedded_server()


def _embedded_server() -> str:
    """Start the embedded PostgreSQL for this test run, as its superuser; it ends with us.

    It lives in a loop and thread of its own, because tests ask for it from loops that are running.
    """
    folder = Path(tempfile.mkdtemp(prefix="ops-test-postgres-"))
    folder.chmod(0o711)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="test-postgres", daemon=True)
    thread.start()
    server = EmbeddedPostgres(folder, lambda: free_port(EMBEDDED_PORT))
    url = make_url(asyncio.run_coroutine_threadsafe(server.start(), loop).result(60))

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    password = Folder(folder).superuser_password.read_text().strip()
    return url.set(
        drivername="postgresql", username=SUPERUSER, password=password, database="postgres"
    ).render_as_string(hide_password=False)


async def _execute(statement: str) -> None:
    connection = await asyncpg.connect(server_url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def fresh_database() -> AsyncIterator[str]:
    """The address of an empty, migrated database that is gone afterwards."""
    name = f"ops_test_{uuid4().hex[:12]}"
    await _execute(f"CREATE DATABASE {name}")
    url = make_url(server_url()).set(database=name).render_as_string(hide_password=False)
    try:
        engine = connect(url, name="tests")
        try:
            await migrate(engine)
        finally:
            await engine.dispose()
        yield url
    finally:
        await _execute(f"DROP DATABASE {name} WITH (FORCE)")


class SessionDatabase:
    """One migrated database for a whole test run; `url` may be asked from any event loop."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._context = fresh_database()
        self.url = self._runner.run(self._context.__aenter__())

    def close(self) -> None:
        self._runner.run(self._context.__aexit__(None, None, None))
        self._runner.close()


_EMPTY = """
DO $$
DECLARE
    one text;
    filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT quote_ident(relname) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
                WHERE n.nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
                  AND relname NOT IN ('projects', 'stream_epoch', 'alembic_version')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', one) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', one);
        END IF;
    END LOOP;
END $$
"""


async def empty(engine: AsyncEngine) -> None:
    """Delete every row that a test wrote."""
    async with engine.begin() as connection:
        await connection.execute(text(_EMPTY))


async def everything_as_text(engine: AsyncEngine) -> str:
    """Every row of every table as text, bytes as hex: to look for what must not be there."""
    async with engine.connect() as connection:
        tables = list(
            await connection.scalars(
                text("""
                    SELECT quote_ident(relname) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
                     WHERE n.nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
                """)
            )
        )
        parts = []
        for table in tables:
            rows = await connection.scalars(text(f"SELECT t::text FROM {table} AS t"))
            parts += [f"{table}: {row}" for row in rows]
    return "\n".join(parts)
