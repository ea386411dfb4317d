"""Plain SQL straight on the driver: same parameters, same rows, same outages as through a session."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import Statements, connect, sessions_of
from infra.direct import direct_statement, direct_transaction
from infra.outages import is_outage
from tests.support.database import fresh_database

KILL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    async with fresh_database() as url:
        engine = connect(url, name="tests", pool_size=1)
        yield engine
        await engine.dispose()


async def rows_of(session: Statements) -> list[object]:
    statement = text("""
        SELECT n, n + :more AS sum, '{"a": [1]}'::jsonb AS doc, CAST(:name AS text) AS name
          FROM unnest(CAST(:numbers AS int[])) AS n WHERE n < :more + 100 ORDER BY n
    """)
    rows = await session.execute(statement, {"numbers": [2, 1], "more": 10, "name": "x:y"})
    return [(row.n, row.sum, row.doc, row.name) for row in rows]


async def test_parameters_and_rows_are_those_of_a_session(engine: AsyncEngine) -> None:
    async with sessions_of(engine)() as session:
        through_session = await rows_of(session)
    async with direct_transaction(engine) as direct:
        straight = await rows_of(direct)

    assert straight == through_session == [(1, 11, {"a": [1]}, "x:y"), (2, 12, {"a": [1]}, "x:y")]


async def insert_and_fail(engine: AsyncEngine) -> None:
    async with direct_transaction(engine) as session:
        await session.execute(text("INSERT INTO kept VALUES (1)"))
        await session.execute(text("SELECT 1 / 0"))


async def kill_all(engine: AsyncEngine) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    other = await asyncpg.connect(url)
    await other.execute(KILL_OTHERS)
    await other.close()


async def ask(engine: AsyncEngine, *, killed: bool = False) -> int:
    async with direct_transaction(engine) as session:
        if killed:
            await kill_all(engine)
        return int(await session.scalar(text("SELECT 3")))


async def test_an_error_rolls_back_and_leaves_the_connection_usable(engine: AsyncEngine) -> None:
    async with direct_statement(engine) as session:
        await session.execute(text("CREATE TABLE kept (n int)"))

    with pytest.raises(asyncpg.DivisionByZeroError):
        await insert_and_fail(engine)

    async with direct_statement(engine) as session:
        assert await session.scalar(text("SELECT count(*) FROM kept")) == 0


async def test_a_lost_connection_is_an_outage_and_never_comes_back_from_the_pool(engine: AsyncEngine) -> None:
    with pytest.raises(Exception, match=r"terminat|closed|operation") as caught:
        await ask(engine, killed=True)

    assert is_outage(caught.value)
    assert await ask(engine) == 3


async def test_a_connection_that_died_in_the_pool_costs_one_outage_at_most(engine: AsyncEngine) -> None:
    await ask(engine)
    await kill_all(engine)

    outcomes = await asyncio.gather(ask(engine), return_exceptions=True)
    assert all(outcome == 3 for outcome in outcomes if not isinstance(outcome, Exception))
    assert all(is_outage(outcome) for outcome in outcomes if isinstance(outcome, Exception))
    assert await ask(engine) == 3
