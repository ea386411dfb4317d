"""What is declared on a broker is what contracts and the committed definitions say."""

import aio_pika
import pytest

from contracts import topology
from infra.broker import declare_topology
from infra.rabbitmq.definitions import definitions
from tests.support.amqp_endpoints import Endpoint
from tests.support.amqp_queues import fetch
from tests.support.own_topology import POOLS

# A redeclaration with other arguments is refused, so one that succeeds proves them equal.


async def test_declared_queues_and_exchanges_equal_the_definitions(endpoint: Endpoint) -> None:
    expected = definitions(pools=POOLS)
    async with await aio_pika.connect(endpoint.url) as connection, connection.channel() as channel:
        for exchange in expected["exchanges"]:
            await channel.declare_exchange(exchange["name"], exchange["type"], durable=True, passive=False)
        for queue in expected["queues"]:
            await channel.declare_queue(queue["name"], passive=True)
            await channel.declare_queue(queue["name"], durable=True, arguments=queue["arguments"])
        for binding in expected["bindings"]:
            found = await channel.get_queue(binding["destination"])
            exchange = await channel.get_exchange(binding["source"], ensure=False)
            key = binding["routing_key"].replace("#", "any.thing")
            await exchange.publish(aio_pika.Message(b"x"), key)
            assert (await fetch(found)).body == b"x"


@pytest.mark.broker
async def test_a_queue_with_other_arguments_is_refused(endpoint: Endpoint) -> None:
    async with await aio_pika.connect(endpoint.url) as connection, connection.channel() as channel:
        with pytest.raises(aio_pika.exceptions.ChannelPreconditionFailed):
            await channel.declare_queue(
                topology.START_RUN.name,
                durable=True,
                arguments={"x-queue-type": "quorum", "x-delivery-limit": 1},
            )


async def test_declaring_again_changes_nothing(endpoint: Endpoint) -> None:
    await declare_topology(endpoint.url, queue_type="quorum", pools=POOLS)
