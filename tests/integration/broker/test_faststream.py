"""The application's own way to the broker: FastStream subscribers and publishers."""

import asyncio
from collections import Counter
from typing import Any

import aio_pika
import pytest
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.schemas.queue import ClassicQueueArgs, QueueType

from tests.support.amqp_endpoints import Endpoint, Name
from tests.support.eventually import eventually

KIB = 1024


@pytest.mark.parametrize("prefetch", [1, 4])
async def test_no_more_handlers_run_at_once_than_the_prefetch(
    broker: Endpoint, name: Name, prefetch: int
) -> None:
    app = RabbitBroker(broker.url, logger=None)
    running, most, done, gate = 0, 0, 0, asyncio.Event()

    @app.subscriber(RabbitQueue(name("q"), durable=True), channel=Channel(prefetch_count=prefetch))
    async def handle(_body: str) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        done += 1

    async with app:
        await app.start()
        for number in range(20):
            await app.publish(str(number), queue=name("q"))
        await eventually(lambda: running == prefetch)
        gate.set()
        await eventually(lambda: done == 20)
    assert most == prefetch


@pytest.mark.timeout(400)
@pytest.mark.parametrize("queue_type", [QueueType.CLASSIC, QueueType.QUORUM])
async def test_thousands_of_messages_arrive_without_a_loss(
    broker: Endpoint, name: Name, queue_type: Any
) -> None:
    app = RabbitBroker(broker.url, logger=None)
    seen: Counter[int] = Counter()
    count = 10_000 if broker.embedded and queue_type is QueueType.QUORUM else 2_000
    queue = RabbitQueue(name("q"), queue_type=queue_type, durable=True)
    exchange = RabbitExchange(name("e"), type=ExchangeType.TOPIC, durable=True)

    @app.subscriber(queue, exchange, channel=Channel(prefetch_count=50))
    async def handle(number: int) -> None:
        seen[number] += 1

    async with app, await aio_pika.connect(broker.url) as connection:
        await app.start()
        target = await (await connection.channel(on_return_raises=True)).get_exchange(exchange.name)
        for start in range(0, count, 500):
            batch = [aio_pika.Message(str(number).encode()) for number in range(start, start + 500)]
            await asyncio.gather(*(target.publish(message, queue.name) for message in batch))
        await eventually(lambda: len(seen) == count, within=120)
    assert seen == Counter(range(count))


async def test_bodies_of_64_kib_arrive_whole(broker: Endpoint, name: Name) -> None:
    app = RabbitBroker(broker.url, logger=None)
    bodies: list[bytes] = []

    @app.subscriber(RabbitQueue(name("q"), durable=True), channel=Channel(prefetch_count=8))
    async def handle(body: bytes) -> None:
        bodies.append(body)

    async with app:
        await app.start()
        sent = [bytes([number]) * 64 * KIB for number in range(100)]
        await asyncio.gather(*(app.publish(body, queue=name("q")) for body in sent))
        await eventually(lambda: len(bodies) == 100)
    assert sorted(bodies) == sent


async def test_a_handler_that_raises_dead_letters_its_message(broker: Endpoint, name: Name) -> None:
    app = RabbitBroker(broker.url, logger=None)
    graves = RabbitExchange(name("dlx"), type=ExchangeType.TOPIC, durable=True)
    arguments: ClassicQueueArgs = {"x-dead-letter-exchange": graves.name}
    buried: list[str] = []

    @app.subscriber(RabbitQueue(name("dead"), durable=True, routing_key="#"), graves)
    async def bury(body: str) -> None:
        buried.append(body)

    @app.subscriber(
        RabbitQueue(name("q"), durable=True, arguments=arguments), ack_policy=AckPolicy.REJECT_ON_ERROR
    )
    async def handle(body: str) -> None:
        raise ValueError(body)

    async with app:
        await app.start()
        await app.publish("poison", queue=name("q"))
        await eventually(lambda: buried == ["poison"])
