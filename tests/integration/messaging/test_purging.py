"""The broker is a doorbell: whatever it loses in mid-run, the run ends all the same, and every task once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest

from contracts import topology
from contracts.runs import looks
from infra.process import Process
from infra.settings import Settings
from tests.support.amqp_endpoints import Endpoint
from tests.support.engine import Engine
from tests.support.eventually import eventually
from workers.orchestrator import role


@pytest.fixture
async def orchestrator(
    endpoint: Endpoint, messaging_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Process]:
    """A whole orchestrator process in this one, which looks more often than it would."""
    for look in (looks.START_RUN, looks.ADVANCE_RUN):
        object.__setattr__(look, "seconds", 0.2)
    settings = Settings(database_url=messaging_database_url, amqp_url=endpoint.url)
    process = Process(settings, name="orchestrator")
    role.install(process)
    running = asyncio.create_task(process.run())
    yield process
    process.stop()
    await running
    for look in (looks.START_RUN, looks.ADVANCE_RUN):
        object.__setattr__(look, "seconds", 5.0)


async def _purge(endpoint: Endpoint) -> None:
    async with await aio_pika.connect(endpoint.url) as connection, connection.channel() as channel:
        for queue in topology.durable_queues():
            found: Any = await channel.get_queue(queue.name, ensure=False)
            await found.purge()


async def test_a_run_whose_every_message_is_lost_still_ends(
    engine: Engine, endpoint: Endpoint, orchestrator: Process
) -> None:
    await engine.targets(20)
    steps = [{"type": "ssh.exec", "command": "id"} | {"name": name} for name in ("one", "two", "three")]
    run = await engine.run(*steps, targets=[f"t{i}" for i in range(20)], max_parallel=4)
    worker = await engine.worker()

    async def works_and_loses() -> bool:
        """A scripted executor that only ever looks, while all queues are emptied again and again."""
        await engine.settle(await engine.claim(worker, limit=3))
        await _purge(endpoint)
        return await engine.status(run) not in ("requested", "running")

    await eventually(works_and_loses, every=0.05)

    assert await engine.status(run) == "succeeded"
    assert await engine.rows("SELECT count(*), max(number) FROM attempts") == [(60, 1)]
