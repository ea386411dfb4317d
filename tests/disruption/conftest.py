"""One system of real processes for the tests that need no broker or database of their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.database import fresh_database
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.system import System, a_system


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def core(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Gateway, orchestrator and caretaker at work."""
    folder = tmp_path_factory.mktemp("system")
    async with (
        fresh_database() as url,
        a_system(folder, database_url=url, broker=EmbeddedBroker(folder)) as system,
    ):
        await system.at_work(*[system.start(role) for role in ("gateway", "orchestrator", "caretaker")])
        await system.sign_in()
        yield system


@pytest_asyncio.fixture(loop_scope="session")
async def system(core: System) -> AsyncIterator[System]:
    """The shared system without executors; a test starts its own, and they end with it."""
    yield core
    core.end("executor")
