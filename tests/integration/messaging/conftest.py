import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aio_pika
import pytest
from yarl import URL

from infra.broker import declare_topology
from infra.database import connect
from tests.support.amqp_endpoints import RABBITMQ_URL, EmbeddedEndpoint, Endpoint, RabbitEndpoint
from tests.support.amqp_queues import depth, fetch
from tests.support.database import SessionDatabase, empty
from tests.support.engine import Engine
from tests.support.own_topology import POOLS, own_topology

REQUIRED = os.environ.get("OPS_TEST_REQUIRE_RABBITMQ") == "1"

Waiting = Callable[[str], Awaitable[list[Any]]]


@pytest.fixture(scope="session")
def messaging_database_url() -> Iterator[str]:
    database = SessionDatabase()
    yield database.url
    database.close()


@pytest.fixture
async def engine(messaging_database_url: str) -> AsyncIterator[Engine]:
    connections = connect(messaging_database_url, name="tests", pool_size=10)
    await empty(connections)
    yield Engine(connections)
    await connections.dispose()


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.broker)])
async def endpoint(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    """A broker with our topology declared, under names of this test alone."""
    endpoint: Endpoint = EmbeddedEndpoint() if request.param == "embedded" else RabbitEndpoint()
    if request.param == "rabbitmq" and not REQUIRED:
        url = URL(RABBITMQ_URL)
        try:
            socket.create_connection((url.host, url.port or 5672), timeout=2).close()
        except OSError:
            pytest.skip("no RabbitMQ answers")
    await endpoint.start()
    async with own_topology(endpoint.url, outlived=not endpoint.embedded):
        await declare_topology(endpoint.url, queue_type="quorum", pools=POOLS)
        yield endpoint
    await endpoint.stop()


@pytest.fixture
async def waiting(endpoint: Endpoint) -> Waiting:
    """Takes what waits in a queue."""

    async def take(queue: str) -> list[Any]:
        taken = []
        async with await aio_pika.connect(endpoint.url) as connection, connection.channel() as channel:
            found = await channel.get_queue(queue, ensure=False)
            while await depth(channel, found):
                taken.append(await fetch(found))
        return taken

    return take
