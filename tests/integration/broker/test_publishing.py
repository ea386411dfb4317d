"""What a publisher may rely on."""

import asyncio

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from pamqp.commands import Basic
from pamqp.common import FieldTable

from tests.support.amqp_endpoints import Connect, EmbeddedEndpoint, Endpoint, Name
from tests.support.amqp_queues import fetch
from tests.support.raw_amqp import RawAmqp

KIB = 1024


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 131_064, 131_065, 1024 * KIB])
async def test_a_confirmed_message_arrives_whole_with_its_properties(
    connection: AbstractConnection, name: Name, size: int
) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    headers: FieldTable = {"text": "grün", "big": 2**40, "flag": True, "list": [1, "a"], "table": {"k": -7}}
    sent = aio_pika.Message(
        body, headers=headers, message_id="m-1", correlation_id="c-1", content_type="a/b", priority=3
    )

    await channel.default_exchange.publish(sent, queue.name)

    got = await fetch(queue)
    assert got.body == body
    assert got.headers == headers
    assert (got.message_id, got.correlation_id, got.content_type, got.priority) == ("m-1", "c-1", "a/b", 3)
    assert (got.routing_key, got.redelivered) == (queue.name, False)


async def test_an_unroutable_mandatory_message_comes_back_before_its_confirm(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel(on_return_raises=True)
    exchange = await channel.declare_exchange(name("e"), "topic", durable=True)

    with pytest.raises(PublishError) as caught:
        await exchange.publish(aio_pika.Message(b"?"), "nobody.listens")

    returned = caught.value.frame
    assert isinstance(returned, Basic.Return)
    assert (returned.reply_code, returned.reply_text) == (312, "NO_ROUTE")


async def test_an_unroutable_message_that_is_not_mandatory_is_confirmed(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel(on_return_raises=True)
    exchange = await channel.declare_exchange(name("e"), "topic", durable=True)

    await exchange.publish(aio_pika.Message(b"?"), "nobody.listens", mandatory=False)


async def test_publishing_to_an_exchange_that_is_not_there_closes_the_channel_with_404(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    exchange = await channel.get_exchange(name("missing"), ensure=False)

    with pytest.raises(ChannelNotFoundEntity, match="no exchange"):
        await exchange.publish(aio_pika.Message(b"?"), "key")


async def test_many_publishes_in_flight_are_all_confirmed(connection: AbstractConnection, name: Name) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)

    await asyncio.gather(
        *(
            channel.default_exchange.publish(aio_pika.Message(str(number).encode()), queue.name)
            for number in range(500)
        )
    )

    counted = await channel.declare_queue(queue.name, passive=True)
    assert counted.declaration_result.message_count == 500


async def test_a_message_above_1_mib_is_refused_with_406(embedded: EmbeddedEndpoint) -> None:
    """Embedded only: RabbitMQ takes up to 128 MiB."""
    raw = await RawAmqp.with_channel(embedded.url)
    raw.publish_header(KIB * KIB + 1)

    refusal = await raw.channel_close()

    assert refusal.reply_code == 406
    assert "larger than max size" in refusal.reply_text
    await raw.close()


async def test_publishes_beyond_the_memory_bound_are_refused_and_room_made_is_used_again(
    connect_limited: Connect,
) -> None:
    """Embedded only: RabbitMQ blocks the connection instead."""
    connection = await connect_limited()
    channel = await connection.channel()
    queue = await channel.declare_queue("q")

    async def publish(count: int) -> None:
        for _number in range(count):
            await channel.default_exchange.publish(aio_pika.Message(b"x" * 64 * KIB), queue.name)

    with pytest.raises(DeliveryError):
        await publish(100)

    await queue.purge()

    await publish(1)
    await channel.close()


async def test_beyond_the_memory_bound_a_publisher_without_confirms_is_told_506(
    connect_limited: Connect,
) -> None:
    """Embedded only."""
    connection = await connect_limited()
    channel = await connection.channel(publisher_confirms=False)
    queue = await channel.declare_queue("q")

    async def publish_many() -> None:
        for _number in range(200):
            await channel.default_exchange.publish(aio_pika.Message(b"x" * 64 * KIB), queue.name)
            await channel.declare_queue(queue.name, passive=True)

    with pytest.raises(aio_pika.exceptions.AMQPError, match="RESOURCE_ERROR"):
        await publish_many()


async def test_the_suite_knows_which_broker_it_talks_to(
    broker: Endpoint, connection: AbstractConnection
) -> None:
    product = connection.transport.connection.server_properties["product"]  # type: ignore[union-attr]
    assert (product == "RabbitMQ") is not broker.embedded
