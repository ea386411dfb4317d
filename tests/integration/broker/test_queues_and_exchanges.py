"""Declaring, binding, deleting: what exists, who may use it, and when it goes away."""

from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from aiormq.exceptions import ChannelLockedResource

from tests.support.amqp_endpoints import Connect, Name
from tests.support.amqp_queues import depth
from tests.support.eventually import eventually


async def is_there(connection: AbstractConnection, queue: str) -> bool:
    async with connection.channel() as channel:
        try:
            await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity:
            return False
        return True


@pytest.mark.parametrize(
    ("pattern", "key", "arrives"),
    [
        ("runs.start-run.v1", "runs.start-run.v1", True),
        ("runs.*.v1", "runs.start-run.v1", True),
        ("runs.*.v1", "runs.v1", False),
        ("runs.#", "runs.start-run.v1.default", True),
        ("runs.#", "runs", True),
        ("#", "", True),
        ("*", "", False),
        ("#.v1", "v1", True),
        ("*.*", "a.", True),
        ("a.#.b.#", "a.x.y.b", True),
        ("a.#.b.#", "a.x.y", False),
    ],
)
async def test_topic_routing(
    connection: AbstractConnection,
    name: Name,
    pattern: str,
    key: str,
    arrives: bool,  # noqa: FBT001
) -> None:
    channel = await connection.channel()
    exchange = await channel.declare_exchange(name("topic"), "topic", durable=True)
    queue = await channel.declare_queue(name("q"), durable=True)
    await queue.bind(exchange, pattern)

    await exchange.publish(aio_pika.Message(b"!"), key, mandatory=False)

    assert await depth(channel, queue) == (1 if arrives else 0)


async def test_two_matching_bindings_deliver_once(connection: AbstractConnection, name: Name) -> None:
    channel = await connection.channel()
    exchange = await channel.declare_exchange(name("topic"), "topic", durable=True)
    queue = await channel.declare_queue(name("q"), durable=True)
    await queue.bind(exchange, "#")
    await queue.bind(exchange, "a.*")

    await exchange.publish(aio_pika.Message(b"!"), "a.b")

    assert await depth(channel, queue) == 1


async def test_a_passive_declaration_of_a_missing_queue_is_404(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()

    with pytest.raises(ChannelNotFoundEntity, match="NOT_FOUND - no queue"):
        await channel.declare_queue(name("missing"), passive=True)


async def test_a_passive_declaration_of_a_missing_exchange_is_404(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()

    with pytest.raises(ChannelNotFoundEntity, match="NOT_FOUND - no exchange"):
        await channel.declare_exchange(name("missing"), passive=True)


async def test_binding_to_a_missing_exchange_is_404(connection: AbstractConnection, name: Name) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)

    with pytest.raises(ChannelNotFoundEntity, match="no exchange"):
        await queue.bind(name("missing"), "key")


@pytest.mark.parametrize(
    "other",
    [
        {"durable": False},
        {"auto_delete": True},
        {"arguments": {"x-dead-letter-exchange": "there"}},
        {"arguments": {"x-queue-type": "quorum", "x-dead-letter-exchange": "here"}},
        {"arguments": None},
    ],
)
async def test_declaring_a_queue_again_in_another_way_is_406(
    connection: AbstractConnection, name: Name, other: dict[str, object]
) -> None:
    channel = await connection.channel()
    first = {"durable": True, "arguments": {"x-dead-letter-exchange": "here"}}
    await channel.declare_queue(name("q"), **first)  # type: ignore[arg-type]
    await channel.declare_queue(name("q"), **first)  # type: ignore[arg-type]

    with pytest.raises(ChannelPreconditionFailed, match="inequivalent arg"):
        await channel.declare_queue(name("q"), **(first | other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({"durable": False}, {"x-queue-type": "quorum"}),
        ({"durable": True, "auto_delete": True}, {"x-queue-type": "quorum"}),
        ({"durable": True, "exclusive": True}, {"x-queue-type": "quorum"}),
        ({"durable": True}, {"x-dead-letter-routing-key": "without-an-exchange"}),
        ({"durable": True}, {"x-delivery-limit": 3}),
        ({"durable": True}, {"x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once"}),
    ],
)
async def test_arguments_that_make_no_sense_are_406(
    connection: AbstractConnection, name: Name, options: dict[str, bool], arguments: dict[str, object]
) -> None:
    channel = await connection.channel()

    with pytest.raises(ChannelPreconditionFailed):
        await channel.declare_queue(name("q"), **options, arguments=arguments)  # type: ignore[arg-type]


async def test_an_exclusive_queue_belongs_to_its_connection_and_goes_with_it(
    connect: Connect, connection: AbstractConnection
) -> None:
    owner = await connect()
    mine = await (await owner.channel()).declare_queue(exclusive=True)
    assert mine.name.startswith("amq.gen-")
    stranger = await connection.channel()
    with pytest.raises(ChannelLockedResource):
        await stranger.declare_queue(mine.name, passive=True)

    await owner.close()

    assert await eventually(lambda: not_there(connection, mine.name))


async def not_there(connection: AbstractConnection, queue: str) -> bool:
    return not await is_there(connection, queue)


async def test_an_exclusive_queue_survives_the_channel_that_declared_it(
    connection: AbstractConnection,
) -> None:
    async with connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)

    assert await is_there(connection, queue.name)


async def test_an_auto_delete_queue_goes_with_its_last_consumer(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), auto_delete=True)
    tags = [await queue.consume(print) for _ in range(2)]  # type: ignore[arg-type]
    await queue.cancel(tags[0])
    assert await is_there(connection, queue.name)

    await queue.cancel(tags[1])

    assert await eventually(lambda: not_there(connection, queue.name))


async def test_an_auto_delete_queue_goes_with_the_channel_of_its_last_consumer(
    connection: AbstractConnection, name: Name
) -> None:
    async with connection.channel() as channel:
        queue = await channel.declare_queue(name("q"), auto_delete=True)
        await queue.consume(print)  # type: ignore[arg-type]

    assert await eventually(lambda: not_there(connection, queue.name))


async def test_a_consumer_is_told_when_its_queue_is_deleted(connect: Connect, name: Name) -> None:
    channel = await (await connect()).channel()
    queue = await channel.declare_queue(name("q"), durable=True)
    underlay: Any = await channel.get_underlay_channel()
    await queue.consume(print, consumer_tag="mine")  # type: ignore[arg-type]
    other = await (await connect()).channel()

    await other.queue_delete(queue.name)

    await eventually(lambda: "mine" not in underlay.consumers)


async def test_purging_drops_what_waits_and_says_how_many(connection: AbstractConnection, name: Name) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)
    for _ in range(3):
        await channel.default_exchange.publish(aio_pika.Message(b"!"), queue.name)

    purged = await queue.purge()

    assert purged.message_count == 3
    assert await depth(channel, queue) == 0
