"""Connection tests as executors claim, end and lose them."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import orjson

from contracts.targets.testing import ConnectionTestStatus
from tests.support.engine import Engine
from workers import leases
from workers.caretaker.usecases import DeadMessage, keep_dead_letters
from workers.executor.testing import store
from workers.executor.testing.examine import Result
from workers.executor.testing.store import ClaimedTest

GOOD = Result(status=ConnectionTestStatus.SUCCEEDED, stages=[], presented={}, error=None)


async def _requested(engine: Engine, count: int = 1) -> list[UUID]:
    await engine.targets(1)
    rows = await engine.rows(
        """SELECT gen_random_uuid() AS id FROM generate_series(1, :count)""",
        count=count,
    )
    for row in rows:
        await engine.execute(
            """INSERT INTO connection_tests (id, project_id, target_id, target_version, pool, transport,
                                             reach, status, requested_by, correlation_id)
               SELECT :id, project_id, id, 1, pool, 'ssh',
                      jsonb_build_object('name', name, 'os', os, 'hostname', hostname,
                                         'ssh', ssh, 'winrm', winrm),
                      'requested', 'test', id FROM targets""",
            id=row.id,
        )
    return [row.id for row in rows]


async def _claim(engine: Engine, worker: UUID, limit: int = 100) -> list[ClaimedTest]:
    async with engine.sessions.begin() as session:
        return await store.claim(session, worker_id=worker, pools=["default"], limit=limit)


async def _end(engine: Engine, test: ClaimedTest, worker: UUID) -> bool:
    async with engine.sessions.begin() as session:
        return await store.end(session, test, GOOD, worker_id=worker)


async def _lose(engine: Engine, worker: UUID) -> None:
    async with engine.open_uow() as uow:
        await leases.release(uow, worker, reason="lease expired", lost=True)


async def test_executors_claiming_at_once_carry_out_every_test_once(engine: Engine) -> None:
    wanted = await _requested(engine, 40)
    workers = [await engine.worker() for _ in range(3)]

    async def claim_all(worker: UUID) -> list[UUID]:
        mine: list[UUID] = []
        while got := await _claim(engine, worker, limit=3):
            mine += [test.id for test in got]
        return mine

    claimed = [test for tests in await asyncio.gather(*map(claim_all, workers)) for test in tests]

    assert sorted(claimed) == sorted(wanted)


async def test_a_lost_test_is_begun_again_and_a_late_result_changes_nothing(engine: Engine) -> None:
    await _requested(engine)
    first, second = await engine.worker(), await engine.worker()
    [lost] = await _claim(engine, first)
    await _lose(engine, first)
    assert "targets.test-connection.v1" in engine.relay.types()
    [again] = await _claim(engine, second)

    assert not await _end(engine, lost, first)
    assert await _end(engine, again, second)
    assert not await _end(engine, again, second)
    assert (again.id, again.tries) == (lost.id, 2)


async def test_a_test_that_loses_three_executors_ends_as_lost(engine: Engine) -> None:
    [test_id] = await _requested(engine)
    for _ in range(3):
        worker = await engine.worker()
        assert len(await _claim(engine, worker)) == 1
        await _lose(engine, worker)

    assert await _claim(engine, await engine.worker()) == []
    [row] = await engine.rows("SELECT status, error FROM connection_tests WHERE id = :id", id=test_id)
    assert (row.status, row.error["code"]) == ("failed", "worker_lost")


async def test_an_executor_without_a_lease_begins_no_test(engine: Engine) -> None:
    await _requested(engine)
    worker = await engine.worker(lease=-1)

    assert await _claim(engine, worker) == []


async def test_a_dead_letter_parks_the_test_it_speaks_of(engine: Engine) -> None:
    [test_id] = await _requested(engine)
    values: dict[str, Any] = {"reason": "rejected", "attempts": 1, "headers": {}, "message_id": uuid4()}
    message = DeadMessage(
        queue="executor.test-connections.default",
        exchange="ops.commands",
        routing_key="targets.test-connection.v1.default",
        wire_type="targets.test-connection.v1",
        body=orjson.dumps({"test_id": str(test_id), "pool": "default"}),
        **values,
    )

    await keep_dead_letters([message], open_uow=engine.open_uow)

    assert await _claim(engine, await engine.worker()) == []
    [letter] = await engine.rows("SELECT id, subject_kind, subject_id FROM dead_letters")
    assert (letter.subject_kind, letter.subject_id) == ("connection_test", test_id)
    assert await engine.scalar("SELECT parked_by FROM connection_tests") == letter.id
