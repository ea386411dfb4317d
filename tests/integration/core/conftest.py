from collections.abc import AsyncIterator, Iterator

import pytest

from infra.database import connect
from tests.support.database import SessionDatabase, empty
from tests.support.engine import Engine


@pytest.fixture(scope="session")
def core_database_url() -> Iterator[str]:
    database = SessionDatabase()
    yield database.url
    database.close()


@pytest.fixture
async def engine(core_database_url: str) -> AsyncIterator[Engine]:
    """The workers' use-cases over an empty, migrated database."""
    connections = connect(core_database_url, name="tests", pool_size=10)
    await empty(connections)
    yield Engine(connections)
    await connections.dispose()
