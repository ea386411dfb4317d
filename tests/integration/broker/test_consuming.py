"""What a consumer may rely on: prefetch, turns, acknowledgement, redelivery."""

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelInvalidStateError, ChannelNotFoundEntity, ChannelPreconditionFailed

from tests.support.amqp_endpoints import Connect, Endpoint, Name
from tests.support.amqp_queues import fetch, hold, settled
from tests.support.eventually import eventually

KINDS = pytest.mark.parametrize("queue_type", ["classic", "quorum"])


async def a_queue(channel: AbstractChannel, name: str, queue_type: str = "classic") -> AbstractQueue:
    return await channel.declare_queue(name, durable=True, arguments={"x-queue-type": queue_type})


async def fill(channel: AbstractChannel, queue: AbstractQueue, count: int) -> None:
    for number in range(count):
        await channel.default_exchange.publish(aio_pika.Message(str(number).encode()), queue.name)


class Inbox:
    """Collects deliveries without acknowledging them."""

    def __init__(self) -> None:
        self.messages: list[AbstractIncomingMessage] = []

    async def __call__(self, message: AbstractIncomingMessage) -> None:
        self.messages.append(message)

    @property
    def bodies(self) -> list[int]:
        return [int(message.body) for message in self.messages]


@KINDS
async def test_a_consumer_holds_no_more_than_its_prefetch(
    connection: AbstractConnection, name: Name, queue_type: str
) -> None:
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=3)
    queue, inbox = await a_queue(channel, name("q"), queue_type), Inbox()
    await fill(channel, queue, 10)

    await queue.consume(inbox)

    await settled(channel, queue, ready=7)
    assert inbox.bodies == [0, 1, 2]
    await inbox.messages[0].ack()
    await eventually(lambda: inbox.bodies == [0, 1, 2, 3])
    await settled(channel, queue, ready=6)


@KINDS
async def test_consumers_take_turns(connect: Connect, name: Name, queue_type: str) -> None:
    inboxes = [Inbox(), Inbox(), Inbox()]
    for inbox in inboxes:
        channel = await (await connect()).channel()
        await channel.set_qos(prefetch_count=10)
        queue = await a_queue(channel, name("q"), queue_type)
        await queue.consume(inbox)

    await fill(channel, queue, 9)

    await eventually(lambda: [len(inbox.messages) for inbox in inboxes] == [3, 3, 3])


@KINDS
async def test_what_is_requeued_comes_again_in_its_old_order(
    connection: AbstractConnection, name: Name, queue_type: str
) -> None:
    channel = await connection.channel()
    queue = await a_queue(channel, name("q"), queue_type)
    await fill(channel, queue, 4)
    got = [await hold(queue) for _ in range(3)]

    for message in got if queue_type == "quorum" else reversed(got):
        await message.nack(requeue=True)

    await settled(channel, queue, ready=4)
    again = [await fetch(queue) for _ in range(4)]
    assert [int(each.body) for each in again if each.redelivered] == [0, 1, 2]
    if queue_type == "classic":  # a quorum queue of RabbitMQ may hand out a fresh one first
        assert [int(each.body) for each in again] == [0, 1, 2, 3]


@KINDS
async def test_unacknowledged_messages_are_redelivered_when_the_consumer_is_cut_off(
    broker: Endpoint, connection: AbstractConnection, name: Name, queue_type: str
) -> None:
    channel = await connection.channel()
    queue, inbox = await a_queue(channel, name("q"), queue_type), Inbox()
    await fill(channel, queue, 5)
    doomed = await aio_pika.connect(broker.relayed_url)
    consumed = await (await doomed.channel()).get_queue(queue.name)
    await consumed.consume(inbox)
    await eventually(lambda: len(inbox.messages) == 5)
    await inbox.messages[0].ack()
    await settled(channel, queue, ready=0)

    if broker.embedded:
        await broker.cut()
    else:
        await doomed.close()

    await settled(channel, queue, ready=4)
    again = [await fetch(queue) for _ in range(4)]
    assert [(int(each.body), each.redelivered) for each in again] == [(n, True) for n in range(1, 5)]
    await doomed.close()


async def test_a_cancelled_consumer_gets_nothing_more_and_keeps_what_it_holds(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    queue, inbox = await a_queue(channel, name("q")), Inbox()
    tag = await queue.consume(inbox)
    await fill(channel, queue, 1)
    await eventually(lambda: inbox.bodies == [0])

    await queue.cancel(tag)
    await fill(channel, queue, 1)

    await settled(channel, queue, ready=1)
    await inbox.messages[0].ack()
    assert len(inbox.messages) == 1


async def test_an_unknown_delivery_tag_closes_the_channel_with_406(
    connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    queue = await a_queue(channel, name("q"))
    await fill(channel, queue, 1)
    message = await fetch(queue)

    await (await channel.get_underlay_channel()).basic_ack(message.delivery_tag or 0)

    with pytest.raises((ChannelPreconditionFailed, ChannelInvalidStateError)):
        await settled(channel, queue, ready=-1)


async def test_a_channel_closed_for_an_error_gives_back_what_it_held(
    connection: AbstractConnection, name: Name
) -> None:
    channel, other = await connection.channel(), await connection.channel()
    queue, inbox = await a_queue(channel, name("q")), Inbox()
    await fill(channel, queue, 2)
    await queue.consume(inbox)
    await eventually(lambda: inbox.bodies == [0, 1])

    with pytest.raises(ChannelNotFoundEntity):
        await channel.declare_queue(name("missing"), passive=True)

    await settled(other, queue, ready=2)
    counted = await other.declare_queue(queue.name, passive=True)
    assert counted.declaration_result.consumer_count == 0
