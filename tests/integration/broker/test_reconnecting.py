"""The broker goes away and comes back (the embedded one empty): consumers have to come back by themselves."""

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from tests.support.amqp_endpoints import Endpoint, Name
from tests.support.eventually import eventually


async def test_a_robust_consumer_comes_back_after_an_outage(broker: Endpoint, name: Name) -> None:
    bodies: list[bytes] = []

    async def take(message: AbstractIncomingMessage) -> None:
        bodies.append(message.body)
        await message.ack()

    async with await aio_pika.connect_robust(broker.url, reconnect_interval=0.1) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name("e"), "topic", durable=True)
        queue = await channel.declare_queue(name("q"), durable=True)
        await queue.bind(exchange, "a.*")
        await queue.consume(take)
        await exchange.publish(aio_pika.Message(b"before"), "a.b")
        await eventually(lambda: bodies == [b"before"])

        await broker.go_down()
        await broker.come_back()
        await arrives_in_the_end(broker, name("e"), "a.b")

        await eventually(lambda: b"after" in bodies)


async def arrives_in_the_end(broker: Endpoint, exchange: str, key: str) -> None:
    """Publish once the consumer has declared its queue again."""

    async def published() -> bool:
        async with await aio_pika.connect(broker.url) as connection:
            channel = await connection.channel(on_return_raises=True)
            try:
                target = await channel.get_exchange(exchange) if exchange else channel.default_exchange
                await target.publish(aio_pika.Message(b"after"), key)
            except aio_pika.exceptions.AMQPError:
                return False
            return True

    await eventually(published, every=0.1)


@pytest.mark.parametrize("outages", [1, 3])
async def test_a_faststream_consumer_comes_back_after_an_outage(
    broker: Endpoint, name: Name, outages: int
) -> None:
    app = RabbitBroker(broker.url, reconnect_interval=0.1)
    bodies: list[bytes] = []

    @app.subscriber(RabbitQueue(name("q"), durable=True), channel=Channel(prefetch_count=2))
    async def handle(body: bytes) -> None:
        bodies.append(body)

    async with app:
        await app.start()
        await app.publish(b"before", queue=name("q"))
        await eventually(lambda: bodies == [b"before"])
        for count in range(outages):
            await broker.go_down()
            await broker.come_back()
            await arrives_in_the_end(broker, "", name("q"))
            await eventually(lambda count=count: len(bodies) >= 2 + count)
