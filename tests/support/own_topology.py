"""The application's exchanges and queues under names of one test alone, for a broker that is shared."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import aio_pika
import pytest

from contracts import topology
from contracts.messages import Command, Event

QUEUES = ("START_RUN", "ADVANCE_RUN", "EXECUTE_TASKS", "DEAD_LETTERS")
POOLS = ("default", "dmz")


@asynccontextmanager
async def own_topology(url: str, *, outlived: bool) -> AsyncIterator[str]:
    """Renames everything while the block lasts; the prefix. A broker that outlives the test is tidied up."""
    prefix = f"test-{uuid4().hex[:10]}"
    with pytest.MonkeyPatch.context() as patch:
        renamed = {name: f"{prefix}.{name}" for name in (exchange.name for exchange in topology.EXCHANGES)}
        exchanges = tuple(replace(each, name=renamed[each.name]) for each in topology.EXCHANGES)
        queues = {
            name: replace(queue, name=f"{prefix}.{queue.name}", exchange=renamed[queue.exchange])
            for name in QUEUES
            for queue in (getattr(topology, name),)
        }
        patch.setattr(topology, "EXCHANGES", exchanges)
        patch.setattr(topology, "QUEUES", tuple(queues.values()))
        patch.setattr(topology, "DEAD", renamed[topology.DEAD])
        for name, queue in queues.items():
            patch.setattr(topology, name, queue)
        for kind in (Command, Event):
            patch.setattr(kind, "exchange", renamed[kind.exchange])
        try:
            yield prefix
        finally:
            if outlived:
                await delete(url, exchanges)


async def delete(url: str, exchanges: Iterable[topology.Exchange]) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for queue in topology.durable_queues(POOLS):
            await channel.queue_delete(queue.name)
        for exchange in exchanges:
            await channel.exchange_delete(exchange.name)
