"""One suite, two brokers: the embedded endpoint and a real RabbitMQ have to keep the same promises."""

import os
import socket
from collections.abc import AsyncIterator
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from yarl import URL

from infra.embedded.amqp import AmqpServer
from tests.support.amqp_endpoints import (
    RABBITMQ_URL,
    Connect,
    EmbeddedEndpoint,
    Endpoint,
    Name,
    RabbitEndpoint,
)

REQUIRED = os.environ.get("OPS_TEST_REQUIRE_RABBITMQ") == "1"


def _rabbitmq_answers() -> bool:
    url = URL(RABBITMQ_URL)
    try:
        with socket.create_connection((url.host, url.port or 5672), timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.broker)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    endpoint: Endpoint
    if request.param == "embedded":
        endpoint = EmbeddedEndpoint()
    else:
        if not REQUIRED and not _rabbitmq_answers():
            pytest.skip(f"no RabbitMQ answers at {URL(RABBITMQ_URL).with_password(None)}")
        endpoint = RabbitEndpoint()
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedEndpoint]:
    """Only for promises RabbitMQ does not make: its refusals, its memory bound."""
    endpoint = EmbeddedEndpoint()
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


@pytest.fixture
async def connect(broker: Endpoint) -> AsyncIterator[Connect]:
    """Opens connections that are closed after the test, whatever happened to them."""
    opened: list[AbstractConnection] = []

    async def open_connection() -> AbstractConnection:
        opened.append(await aio_pika.connect(broker.url))
        return opened[-1]

    yield open_connection
    for connection in opened:
        await connection.close()


@pytest.fixture
async def connection(connect: Connect) -> AbstractConnection:
    return await connect()


@pytest.fixture
async def name(broker: Endpoint) -> AsyncIterator[Name]:
    """Unique names for queues and exchanges, deleted afterwards where the broker outlives the test."""
    prefix, used = f"ops-test-{uuid4().hex[:12]}", set[str]()

    def unique(word: str) -> str:
        used.add(f"{prefix}.{word}")
        return f"{prefix}.{word}"

    yield unique
    if broker.embedded:
        return
    async with await aio_pika.connect(broker.url) as cleaner, cleaner.channel() as channel:
        for each in sorted(used):
            await channel.queue_delete(each)
            await channel.exchange_delete(each)


@pytest.fixture
async def connect_limited() -> AsyncIterator[Connect]:
    """Connections to an embedded endpoint that may hold no more than 1 MiB of messages."""
    server = AmqpServer(port=0, username="tester", password="secret", memory=1024 * 1024)
    await server.start()
    opened: list[AbstractConnection] = []

    async def open_connection() -> AbstractConnection:
        opened.append(await aio_pika.connect(f"amqp://tester:secret@127.0.0.1:{server.port}/"))
        return opened[-1]

    yield open_connection
    for connection in opened:
        await connection.close()
    await server.stop()
