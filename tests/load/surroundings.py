"""Where the measurements run: a database and a broker of their own, real ones or the embedded pair."""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url
from yarl import URL

from infra.embedded.ports import free_port
from infra.embedded.postgres import EmbeddedPostgres

Note = Callable[[str], None]
STATEMENT_SECONDS = 30.0
"""For the server to make a database, or to remove one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A PostgreSQL server on which databases can be created (None: embedded), and a broker of our own."""

    server_url: str | None
    amqp_url: str
    kind: str


def passable(folder: Path) -> Path:
    """The folder, open to be passed through: as root the embedded server runs as another user."""
    folder.chmod(0o711)
    return folder


def plain(url: str) -> str:
    """The address as the driver itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@asynccontextmanager
async def chosen_pair(note: Note) -> AsyncIterator[Pair]:
    """The servers that OPS_TEST_DATABASE_URL and OPS_TEST_AMQP_URL name, else embedded ones."""
    database, broker = os.environ.get("OPS_TEST_DATABASE_URL"), os.environ.get("OPS_TEST_AMQP_URL")
    if not (database and broker):
        note("Embedded PostgreSQL and broker: set OPS_TEST_DATABASE_URL and OPS_TEST_AMQP_URL for real ones.")
        async with embedded_pair() as pair:
            yield pair
        return
    async with _own_vhost(broker, note) as amqp_url:
        yield Pair(server_url=plain(database), amqp_url=amqp_url, kind="real")


@asynccontextmanager
async def _own_vhost(url: str, note: Note) -> AsyncIterator[str]:
    """A virtual host for this run where `rabbitmqctl` can make one; else the one the address names."""
    control = shutil.which("rabbitmqctl")
    name = f"load-{secrets.token_hex(4)}"
    user = URL(url).user or "guest"
    if control is None or not await _called(control, "add_vhost", name):
        note("No own virtual host: the broker should have no other consumers of our queues just now.")
        yield url
        return
    try:
        await _called(control, "set_permissions", "-p", name, user, ".*", ".*", ".*")
        yield str(URL(url).with_path(f"/{name}"))
    finally:
        await _called(control, "delete_vhost", name)


async def _called(*command: str) -> bool:
    child = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return await child.wait() == 0


@asynccontextmanager
async def embedded_pair() -> AsyncIterator[Pair]:
    """Our own AMQP endpoint, as the one-command default starts it; PostgreSQL comes with each database."""
    port, password = free_port(25672), secrets.token_hex(8)
    environment = os.environ | {
        "OPS_EMBEDDED_AMQP_PORT": str(port),
        "OPS_EMBEDDED_AMQP_USERNAME": "load",
        "OPS_EMBEDDED_AMQP_PASSWORD": password,
    }
    broker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.embedded.amqp", env=environment
    )
    try:
        yield Pair(server_url=None, amqp_url=f"amqp://load:{password}@127.0.0.1:{port}/", kind="embedded")
    finally:
        broker.terminate()
        await broker.wait()


@asynccontextmanager
async def own_database(pair: Pair, folder: Path) -> AsyncIterator[str]:
    """The address of an empty database that is gone afterwards; embedded on a server of its own."""
    if pair.server_url is None:
        server = EmbeddedPostgres(
            passable(Path(tempfile.mkdtemp(prefix="postgres-", dir=folder))), free_port(25432)
        )
        try:
            yield plain(await server.start())
        finally:
            await server.stop()
        return
    name = f"ops_load_{secrets.token_hex(6)}"
    await _statement(pair.server_url, f"CREATE DATABASE {name}")
    try:
        yield make_url(pair.server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        await _statement(pair.server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _statement(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=STATEMENT_SECONDS)
    try:
        await connection.execute(statement, timeout=STATEMENT_SECONDS)
    finally:
        await connection.close()
