from collections.abc import AsyncIterator, Iterator

import pytest

from infra.database import connect
from tests.support.api import Api, gateway
from tests.support.database import SessionDatabase, empty


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    database = SessionDatabase()
    yield database.url
    database.close()


@pytest.fixture
async def clean_url(database_url: str) -> str:
    engine = connect(database_url, name="tests")
    await empty(engine)
    await engine.dispose()
    return database_url


@pytest.fixture
async def api(clean_url: str) -> AsyncIterator[Api]:
    async with gateway(clean_url) as api:
        yield api
