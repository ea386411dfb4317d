"""A whole system of real processes for each test; everything is judged once more when the test is over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.database import fresh_database
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.system import System, a_system


@pytest.fixture
async def bare_system(tmp_path: Path) -> AsyncIterator[System]:
    """Database, broker and hosts, and no role yet."""
    async with (
        fresh_database() as url,
        a_system(tmp_path, database_url=url, broker=EmbeddedBroker(tmp_path)) as system,
    ):
        yield system


@pytest.fixture
async def system(bare_system: System) -> System:
    """With gateway, orchestrator and caretaker at work, and no executor yet."""
    await bare_system.at_work(*[bare_system.start(role) for role in ("gateway", "orchestrator", "caretaker")])
    await bare_system.sign_in()
    return bare_system
