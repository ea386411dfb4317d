"""Gateway, orchestrator and caretaker are killed while runs are being accepted."""

import asyncio
import os
import random
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.support.system import System, a_moment
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]

ROUNDS = int(os.environ.get("OPS_TEST_ROUNDS", "2"))


async def ask_until_answered(system: System, job: str) -> UUID:
    """One wish, asked for with one key until an answer comes."""
    key = str(uuid4())
    while True:
        try:
            return await system.run(job, **{"Idempotency-Key": key})
        except (httpx2.TransportError, AssertionError):
            await asyncio.sleep(0.2)


async def test_every_accepted_run_ends_and_none_is_doubled(system: System) -> None:
    roles = ("gateway", "orchestrator", "caretaker")
    await system.started("executor")
    job = await system.job({"type": "wait", "seconds": 0}, {"type": "wait", "seconds": 0})
    over = asyncio.Event()

    async def client() -> int:
        asked = 0
        while not over.is_set():
            await ask_until_answered(system, job)
            asked += 1
            await asyncio.sleep(0.01)
        return asked

    clients = [asyncio.create_task(client()) for _ in range(8)]
    await a_moment(0.5, 1.0)
    for _ in range(ROUNDS):
        for role in random.sample(roles, 3):
            await a_moment(0.1, 0.8)
            system.the(role).kill()
            system.start(role)
    await system.at_work(*[system.the(role) for role in roles])
    over.set()
    asked = sum(await asyncio.gather(*clients))

    runs = await system.rows("SELECT id FROM runs WHERE job_id = $1", UUID(job))
    assert len(runs) == asked
    assert {row["id"] for row in runs} <= system.accepted
    assert set(await system.until_ended([row["id"] for row in runs])) == {"succeeded"}
    await assert_all_is_well(system)
