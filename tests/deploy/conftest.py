"""One system of real processes behind a real nginx."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio

from tests.support.database import fresh_database
from tests.support.edge import Edge, an_edge, nginx_is_there
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.names import Names, a_name_server
from tests.support.system import System, a_system


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What an operator has: the system, its edge, and a browser on it."""

    system: System
    edge: Edge
    names: Names
    browser: httpx2.AsyncClient


def needs(tool: str, *, there: bool, demanded_by: str) -> None:
    """Skip without the tool; fail where it has to be there."""
    if there:
        return
    if os.environ.get(demanded_by):
        pytest.fail(f"{tool} is demanded by {demanded_by} and not there")
    pytest.skip(f"{tool} is not installed")


@pytest.fixture(scope="session")
def nginx() -> None:
    needs("nginx", there=nginx_is_there(), demanded_by="OPS_TEST_REQUIRE_NGINX")


@pytest.fixture(scope="session")
def openssl() -> None:
    needs("openssl", there=shutil.which("openssl") is not None, demanded_by="OPS_TEST_REQUIRE_NGINX")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(nginx: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Everything but the caretaker at work, and an administrator signed in through the edge."""
    folder = tmp_path_factory.mktemp("site")
    async with (
        fresh_database() as url,
        a_system(folder, database_url=url, broker=EmbeddedBroker(folder)) as system,
        a_name_server("127.0.0.1") as names,
        an_edge(gateway_port=system.port, name_server=names.port) as edge,
        edge.client() as browser,
    ):
        await system.at_work(*[system.start(role) for role in ("gateway", "orchestrator", "executor")])
        await system.sign_in()
        browser.headers["authorization"] = system.api.headers["authorization"]
        yield Site(system=system, edge=edge, names=names, browser=browser)
