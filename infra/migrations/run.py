"""Bringing the database to the schema this program knows, and refusing to work with another."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.errors import SchemaMismatch
from infra.partitions import ensure_partitions

_LOCK = 0x6F70735F6D6967


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "infra:migrations")
    config.attributes["connection"] = connection
    return config


def head_revision() -> str:
    """The newest revision this program brings along."""
    config = Config()
    config.set_main_option("script_location", "infra:migrations")
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None  # noqa: S101  (a package without migrations cannot be built)
    return head


async def migrate(engine: AsyncEngine, *, revision: str = "head") -> None:
    """Bring the schema to `revision`, one migrating process at a time; make this and next month's partitions.

    Starts a new stream epoch when stored transaction ids lie above this cluster's counter (a restored dump).
    Raises `SchemaMismatch` and changes nothing when the database is newer than this program.
    """
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        await connection.commit()
        try:
            await connection.run_sync(_refuse_unknown_revision)
            await connection.run_sync(lambda sync: command.upgrade(_config(sync), revision))
            await connection.commit()
            if revision == "head":
                await ensure_partitions(connection)
                await _check_epoch(connection)
                await connection.commit()
        finally:
            await connection.rollback()
            await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            await connection.commit()


async def downgrade(engine: AsyncEngine, *, revision: str) -> None:
    """Go back to `revision` (`base` removes everything)."""
    async with engine.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), revision))
        await connection.commit()


async def current_revision(engine: AsyncEngine) -> str | None:
    """The revision the database is at, or None when it was never migrated."""
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def check_schema(engine: AsyncEngine) -> None:
    """Raises `SchemaMismatch` unless the database is at a revision this program knows."""
    current = await current_revision(engine)
    if current is None:
        raise SchemaMismatch("The database has no schema yet; run `opsconductor migrate`.")
    _refuse_unknown(current)


def _refuse_unknown_revision(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None:
        _refuse_unknown(current)


def _refuse_unknown(current: str) -> None:
    config = Config()
    config.set_main_option("script_location", "infra:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current not in known:
        raise SchemaMismatch(
            f"The database is at revision {current}, which is newer than this program; upgrade the program."
        )


async def _check_epoch(connection: AsyncConnection) -> None:
    """Rows from a cluster that counted further would be held back until this one had caught up with it.

    They are settled, so they get the lowest transaction id: order within a run is then that of their row ids.
    """
    began = await connection.scalar(
        text("""
            UPDATE stream_epoch SET epoch = epoch + 1, started_at = now()
             WHERE EXISTS (SELECT 1 FROM run_events WHERE xid > pg_current_xact_id())
                OR EXISTS (SELECT 1 FROM output_chunks WHERE xid > pg_current_xact_id())
            RETURNING epoch
        """)
    )
    if began is not None:
        for table in ("run_events", "output_chunks"):
            await connection.execute(text(f"UPDATE {table} SET xid = '1'"))  # noqa: S608  (our own names)
