"""The schema: up from nothing, down, up again, one at a time, and never backwards."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.errors import SchemaMismatch
from infra.database import connect
from infra.migrations.drift import differences
from infra.migrations.run import check_schema, current_revision, downgrade, head_revision, migrate
from infra.partitions import ensure_partitions
from tests.support.database import _execute, server_url


@pytest.fixture
async def nothing() -> AsyncIterator[AsyncEngine]:
    """A database without any schema."""
    name = f"ops_test_{uuid4().hex[:12]}"
    await _execute(f"CREATE DATABASE {name}")
    url = make_url(server_url()).set(database=name).render_as_string(hide_password=False)
    engine = connect(url, name="tests")
    yield engine
    await engine.dispose()
    await _execute(f"DROP DATABASE {name} WITH (FORCE)")


async def _tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        rows = await connection.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        )
        return set(rows) - {"alembic_version", "alembic_version_pkc"}


async def test_up_down_and_up_again_leaves_what_contracts_declare(nothing: AsyncEngine) -> None:
    with pytest.raises(SchemaMismatch, match="no schema yet"):
        await check_schema(nothing)
    await migrate(nothing)
    async with nothing.connect() as connection:
        assert await connection.run_sync(differences) == []
    first = await _tables(nothing)

    await downgrade(nothing, revision="base")
    assert await _tables(nothing) == set()
    await migrate(nothing)

    assert await _tables(nothing) == first
    assert await current_revision(nothing) == head_revision()
    await check_schema(nothing)


async def test_a_drift_is_noticed(nothing: AsyncEngine) -> None:
    await migrate(nothing)
    async with nothing.begin() as connection:
        await connection.execute(text("ALTER TABLE runs ADD COLUMN stray int"))
        await connection.execute(text("DROP INDEX ix_tasks_ready"))
    async with nothing.connect() as connection:
        found = str(await connection.run_sync(differences))

    assert "stray" in found
    assert "ix_tasks_ready" in found


async def test_two_processes_that_migrate_at_once_both_succeed(nothing: AsyncEngine) -> None:
    await asyncio.gather(migrate(nothing), migrate(nothing), migrate(nothing))

    async with nothing.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM projects")) == 1


async def test_a_newer_schema_is_neither_used_nor_touched(nothing: AsyncEngine) -> None:
    await migrate(nothing)
    async with nothing.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for refuses in (check_schema, migrate):
        with pytest.raises(SchemaMismatch, match="9999, which is newer than this program"):
            await refuses(nothing)
    assert await current_revision(nothing) == "9999"


async def _epoch(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT epoch FROM stream_epoch")) or 0)


async def test_a_restored_dump_starts_a_new_epoch_of_streams(nothing: AsyncEngine) -> None:
    await migrate(nothing)
    await migrate(nothing)
    assert await _epoch(nothing) == 1
    async with nothing.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO run_events (run_id, xid, kind, event) VALUES (:id, '99999999999', 'run', '{}')"
            ),
            {"id": uuid4()},
        )

    await migrate(nothing)

    assert await _epoch(nothing) == 2


async def test_rows_that_came_before_their_month_do_not_keep_others_from_being_made(
    nothing: AsyncEngine,
) -> None:
    await migrate(nothing)
    async with nothing.begin() as connection:
        for table in ("run_events", "output_chunks"):
            partitions = await connection.scalars(
                text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = :t ::regclass"),
                {"t": table},
            )
            for partition in partitions:
                if not partition.endswith("default"):
                    await connection.execute(text(f"DROP TABLE {partition}"))
        await connection.execute(
            text("INSERT INTO run_events (run_id, kind, event) VALUES (:id, 'run', '{}')"), {"id": uuid4()}
        )

    async with nothing.begin() as connection:
        await ensure_partitions(connection)

    made = {name for name in await _tables(nothing) if name.startswith(("run_events_2", "output_chunks_2"))}
    assert len([name for name in made if not name.endswith(("pkey", "idx")) and name[-3] == "_"]) == 5
