"""Looking into a queue with what every broker has: a consumer for one message, and a passive declaration."""

import asyncio

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from tests.support.eventually import PATIENCE, eventually


async def hold(queue: AbstractQueue) -> AbstractIncomingMessage:
    """The next message, not acknowledged yet. Leaves the prefetch of the queue's channel at one."""
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await queue.channel.set_qos(prefetch_count=1)
    tag = await queue.consume(arrived.put)
    async with asyncio.timeout(PATIENCE):
        message = await arrived.get()
    await queue.cancel(tag)
    return message


async def fetch(queue: AbstractQueue) -> AbstractIncomingMessage:
    """The next message, acknowledged."""
    message = await hold(queue)
    await message.ack()
    return message


async def depth(channel: AbstractChannel, queue: AbstractQueue) -> int:
    """How many messages wait in it, those that consumers hold not counted."""
    counted = await channel.declare_queue(queue.name, passive=True)
    return counted.declaration_result.message_count or 0


async def settled(channel: AbstractChannel, queue: AbstractQueue, *, ready: int) -> None:
    """Wait until that many messages wait in it: a quorum queue counts a moment later."""

    async def is_so() -> bool:
        return await depth(channel, queue) == ready

    await eventually(is_so)
