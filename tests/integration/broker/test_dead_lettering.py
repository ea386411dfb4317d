"""Where a message goes that nobody could handle, and what is written on it."""

import asyncio
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from pamqp.common import FieldTable

from contracts.topology import Queue
from tests.support.amqp_endpoints import Endpoint, Name
from tests.support.amqp_queues import depth, fetch, hold


async def with_dead_letters(
    channel: AbstractChannel, name: Name, arguments: dict[str, Any], *, key: str | None = "buried"
) -> tuple[AbstractQueue, AbstractQueue]:
    """A work queue whose dead letters arrive in a second queue."""
    exchange = await channel.declare_exchange(name("dlx"), "topic", durable=True)
    dead = await channel.declare_queue(name("dead"), durable=True)
    await dead.bind(exchange, "#")
    arguments = {"x-dead-letter-exchange": exchange.name} | arguments
    if key is not None:
        arguments["x-dead-letter-routing-key"] = key
    return await channel.declare_queue(name("work"), durable=True, arguments=arguments), dead


async def publish(channel: AbstractChannel, queue: AbstractQueue, body: bytes, **headers: Any) -> None:
    await channel.default_exchange.publish(aio_pika.Message(body, headers=headers), queue.name)


def the_death(message: AbstractIncomingMessage) -> dict[str, Any]:
    deaths = message.headers["x-death"]
    assert isinstance(deaths, list)
    [death] = deaths
    assert isinstance(death, dict)
    return death


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
async def test_a_rejected_message_is_dead_lettered_with_its_history(
    connection: AbstractConnection, name: Name, queue_type: str
) -> None:
    channel = await connection.channel()
    work, dead = await with_dead_letters(channel, name, {"x-queue-type": queue_type})
    await publish(channel, work, b"bad", traceparent="00-1-2-3")
    message = await hold(work)

    await message.reject(requeue=False)

    letter = await fetch(dead)
    death = the_death(letter)
    assert death.pop("time").timestamp() > 1_700_000_000
    assert death == {
        "count": 1,
        "reason": "rejected",
        "queue": work.name,
        "exchange": "",
        "routing-keys": [work.name],
    }
    assert (letter.body, letter.routing_key) == (b"bad", "buried")
    firsts = {key: value for key, value in letter.headers.items() if key.startswith("x-first-death")}
    assert firsts == {
        "x-first-death-exchange": "",
        "x-first-death-queue": work.name,
        "x-first-death-reason": "rejected",
    }
    assert letter.headers["traceparent"] == "00-1-2-3"


async def test_without_a_routing_key_of_its_own_a_dead_letter_keeps_the_old_one(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    work, dead = await with_dead_letters(channel, name, {}, key=None)
    await publish(channel, work, b"bad")

    await (await hold(work)).reject(requeue=False)

    assert (await fetch(dead)).routing_key == work.name


@pytest.mark.parametrize("limit", [0, 1, 3])
async def test_a_delivery_limit_of_n_allows_n_plus_1_deliveries(
    connection: AbstractConnection, name: Name, limit: int
) -> None:
    channel = await connection.channel()
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": limit}
    work, dead = await with_dead_letters(channel, name, arguments)
    counts: list[Any] = []

    async def refuse(message: AbstractIncomingMessage) -> None:
        counts.append((message.redelivered, message.headers.get("x-delivery-count")))
        await message.nack(requeue=True)

    await work.consume(refuse)
    await publish(channel, work, b"poison")

    letter = await fetch(dead)
    assert counts == [(False, None), *((True, count) for count in range(1, limit + 1))]
    assert (the_death(letter)["reason"], the_death(letter)["count"]) == ("delivery_limit", 1)
    assert "x-delivery-count" not in letter.headers


async def test_a_message_that_killed_its_consumers_reaches_the_delivery_limit_too(
    broker: Endpoint, connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 1}
    work, dead = await with_dead_letters(channel, name, arguments)
    await publish(channel, work, b"poison")

    for _death in range(2):
        async with await aio_pika.connect(broker.url) as doomed:
            seen = asyncio.Event()

            async def die(_message: AbstractIncomingMessage, seen: asyncio.Event = seen) -> None:
                seen.set()

            victim = await (await doomed.channel()).get_queue(work.name)
            await victim.consume(die)
            await seen.wait()

    assert the_death(await fetch(dead))["reason"] == "delivery_limit"


async def test_without_a_dead_letter_exchange_a_rejected_message_is_gone(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)
    await publish(channel, queue, b"bad")

    await (await hold(queue)).reject(requeue=False)

    assert await depth(channel, queue) == 0


async def test_at_least_once_dead_letters_wait_for_their_exchange(
    broker: Endpoint, connection: AbstractConnection, name: Name
) -> None:
    if not broker.embedded:
        pytest.skip("RabbitMQ keeps them as well, but tries again only after minutes")
    channel = await connection.channel()
    arguments: FieldTable = {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": name("late"),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    work = await channel.declare_queue(name("work"), durable=True, arguments=arguments)
    await publish(channel, work, b"bad")
    await (await hold(work)).reject(requeue=False)

    exchange = await channel.declare_exchange(name("late"), "topic", durable=True)
    dead = await channel.declare_queue(name("dead"), durable=True)
    await dead.bind(exchange, "#")

    assert (await fetch(dead)).body == b"bad"


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
async def test_the_queues_of_our_topology_can_be_declared_and_dead_letter(
    connection: AbstractConnection, name: Name, queue_type: Any
) -> None:
    channel = await connection.channel()
    ours = Queue(name=name("ours"), exchange=name("commands"), routing_key="runs.start-run.v1", message=None)
    arguments = ours.arguments(queue_type) | {"x-dead-letter-exchange": name("dlx")}
    commands = await channel.declare_exchange(ours.exchange, "topic", durable=True)
    graves = await channel.declare_exchange(name("dlx"), "topic", durable=True)
    queue = await channel.declare_queue(ours.name, durable=True, arguments=arguments)
    dead = await channel.declare_queue(name("dead"), durable=True)
    await queue.bind(commands, ours.routing_key)
    await dead.bind(graves, "#")
    await commands.publish(aio_pika.Message(b"{}"), ours.routing_key)

    await (await hold(queue)).reject(requeue=False)

    assert the_death(await fetch(dead))["queue"] == queue.name
