"""From a committed row to the broker: once, in time, and never lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import topology
from contracts.messages import Message
from contracts.runs.messages import AdvanceRun, ExecuteTasks, StartRun
from infra.broker import Publisher
from infra.outages import Gate
from infra.relay import OutboxRelay
from infra.unit_of_work import OpenUnitOfWork, new_meta, unit_of_work
from tests.integration.messaging.conftest import Waiting
from tests.support.amqp_endpoints import Endpoint
from tests.support.engine import Engine
from tests.support.eventually import PATIENCE, eventually

BRIEFLY = 1.0


@pytest.fixture
async def relay(engine: Engine, endpoint: Endpoint) -> AsyncIterator[OutboxRelay]:
    """A running relay that never sweeps by itself."""
    async for each in _relay(engine, endpoint):
        yield each


async def _relay(engine: Engine, endpoint: Endpoint) -> AsyncIterator[OutboxRelay]:
    async def ping() -> None:
        await engine.rows("SELECT 1")

    gate = Gate(ping)
    relay = OutboxRelay(engine.sessions, Publisher(endpoint.url, name="test"), gate, sweeps=False)
    relay.start()
    yield relay
    await relay.stop()
    await gate.close()


@pytest.fixture
def open_uow(engine: Engine, relay: OutboxRelay) -> OpenUnitOfWork:
    return unit_of_work(engine.sessions, relay)


async def emit(open_uow: OpenUnitOfWork, *messages: Message) -> None:
    async with open_uow() as uow:
        for message in messages:
            uow.emit(message, new_meta(principal="tester"))


class TooLarge(StartRun):
    run_id: UUID = UUID(int=0)
    text: str


async def outbox(engine: Engine) -> list[Any]:
    return await engine.rows("SELECT * FROM outbox ORDER BY id")


async def is_empty(engine: Engine) -> bool:
    return not await outbox(engine)


def run_ids(messages: Sequence[Any]) -> list[UUID]:
    return [StartRun.model_validate_json(message.body).run_id for message in messages]


async def test_a_confirmed_row_is_deleted_and_its_message_arrives_persistent_and_whole(
    engine: Engine, open_uow: OpenUnitOfWork, waiting: Waiting
) -> None:
    run = uuid4()
    await emit(open_uow, StartRun(run_id=run))
    await eventually(lambda: is_empty(engine))

    [message] = await waiting(topology.START_RUN.name)
    assert run_ids([message]) == [run]
    assert message.delivery_mode == 2
    assert (message.type, message.headers["principal"]) == ("runs.start-run.v1", "tester")
    assert UUID(message.message_id)


async def test_what_was_confirmed_is_deleted_together_at_the_latest_when_the_relay_ends(
    engine: Engine, relay: OutboxRelay, open_uow: OpenUnitOfWork, waiting: Waiting
) -> None:
    for _ in range(3):
        await emit(open_uow, StartRun(run_id=uuid4()))
    await relay.stop()

    assert await is_empty(engine)
    assert len(await waiting(topology.START_RUN.name)) == 3


async def test_a_rolled_back_transaction_leaves_neither_rows_nor_messages(
    engine: Engine, open_uow: OpenUnitOfWork, waiting: Waiting
) -> None:
    with pytest.raises(ValueError, match="over the limit"):
        await emit(open_uow, StartRun(run_id=uuid4()), TooLarge(text="x" * 70_000))
    await emit(open_uow, AdvanceRun(run_id=uuid4()))
    await eventually(lambda: is_empty(engine))

    assert await waiting(topology.START_RUN.name) == []
    assert len(await waiting(topology.ADVANCE_RUN.name)) == 1


async def test_rows_are_handed_over_only_after_their_commit(engine: Engine) -> None:
    seen: list[int] = []

    class Checking:
        def hand_over(self, rows: Sequence[Any]) -> None:
            seen.extend(row.id for row in rows)

        def ring(self, run_ids: set[UUID]) -> None:
            raise AssertionError

    async with unit_of_work(engine.sessions, Checking())() as uow:
        uow.emit(StartRun(run_id=uuid4()), new_meta(principal="tester"))
        await uow.flush()
        assert seen == []
        assert await outbox(engine) == []
        uow._pending.clear()
    await emit(unit_of_work(engine.sessions, Checking()), StartRun(run_id=uuid4()))

    assert seen == [max(row.id for row in await outbox(engine))]


async def test_a_sweep_leaves_the_head_start_of_others_alone(
    engine: Engine, relay: OutboxRelay, waiting: Waiting
) -> None:
    await emit(engine.open_uow, StartRun(run_id=uuid4()))

    assert await relay.sweep() == 0
    await engine.execute("UPDATE outbox SET available_at = now()")
    assert await relay.sweep() == 1

    await eventually(lambda: is_empty(engine))
    assert len(await waiting(topology.START_RUN.name)) == 1


async def test_relays_sweeping_at_once_publish_every_row_exactly_once(
    engine: Engine, endpoint: Endpoint, waiting: Waiting
) -> None:
    runs = [uuid4() for _ in range(500)]
    await emit(engine.open_uow, *(StartRun(run_id=run) for run in runs))
    await engine.execute("UPDATE outbox SET available_at = now()")
    one, two = _relay(engine, endpoint), _relay(engine, endpoint)
    relays_ = [await anext(one), await anext(two)]

    async def sweep_all(relay: OutboxRelay) -> None:
        while await relay.sweep():
            pass

    await asyncio.gather(*map(sweep_all, relays_))
    await eventually(lambda: is_empty(engine))
    for generator in (one, two):
        await anext(generator, None)

    assert sorted(run_ids(await waiting(topology.START_RUN.name))) == sorted(runs)


async def test_what_nobody_is_bound_for_waits_and_delays_nobody_and_is_buried_in_the_end(
    engine: Engine, relay: OutboxRelay, waiting: Waiting
) -> None:
    await emit(engine.open_uow, StartRun(run_id=uuid4()), AdvanceRun(run_id=uuid4()))
    await engine.execute(
        """UPDATE outbox SET available_at = now(),
                  routing_key = replace(routing_key, 'advance', 'nobody')"""
    )
    assert await relay.sweep() == 2

    assert len(await waiting(topology.START_RUN.name)) == 1
    await eventually(lambda: _only(engine, 1))
    [row] = await outbox(engine)
    assert (row.attempts, row.last_error.split(":")[0]) == (1, "Unroutable")
    assert await relay.sweep() == 0, "it backs off"
    await engine.execute("UPDATE outbox SET available_at = now(), attempts = 9")
    await relay.sweep()

    assert await is_empty(engine)
    [letter] = await engine.rows("SELECT reason, attempts, wire_type, last_error FROM dead_letters")
    assert letter[:3] == ("unpublishable", 10, "runs.advance-run.v1")
    assert "no queue is bound" in letter.last_error


async def _only(engine: Engine, count: int) -> bool:
    return len(await outbox(engine)) == count


async def test_a_pool_nobody_serves_is_no_error(engine: Engine, open_uow: OpenUnitOfWork) -> None:
    await emit(open_uow, ExecuteTasks(run_id=uuid4(), pool="far-away", task_ids=(uuid4(),)))

    await eventually(lambda: is_empty(engine))


async def test_a_publish_that_times_out_is_not_the_fault_of_its_row(
    engine: Engine, relay: OutboxRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def times_out(**_: Any) -> None:
        raise TimeoutError

    await emit(engine.open_uow, StartRun(run_id=uuid4()))
    await engine.execute("UPDATE outbox SET available_at = now(), attempts = 50")
    monkeypatch.setattr(relay._publisher, "publish", times_out)
    await relay.sweep()

    [row] = await outbox(engine)
    assert row.last_error.startswith("TimeoutError")


async def test_a_broker_that_comes_back_gets_everything_and_nothing_is_buried(
    engine: Engine, relay: OutboxRelay, endpoint: Endpoint, waiting: Waiting
) -> None:
    await emit(unit_of_work(engine.sessions, relay), StartRun(run_id=uuid4()))
    await eventually(lambda: is_empty(engine))
    if endpoint.embedded:
        pytest.skip("the embedded endpoint keeps nothing over a restart; looks find the work")
    await endpoint.go_down()
    runs = [uuid4() for _ in range(20)]
    async with asyncio.timeout(PATIENCE):
        await emit(engine.open_uow, *(StartRun(run_id=run) for run in runs))
    await engine.execute("UPDATE outbox SET attempts = 50, available_at = now()")
    for _ in range(2):
        with suppress(Exception):  # that it fails while the broker is away is the point
            await asyncio.wait_for(relay.sweep(), BRIEFLY)
    await endpoint.come_back()

    async def swept() -> bool:
        await engine.execute("UPDATE outbox SET available_at = now()")
        try:
            await relay.sweep()
        except Exception:  # not connected again yet
            return False
        return await is_empty(engine)

    await eventually(swept, every=0.3)
    assert set(runs) <= set(run_ids(await waiting(topology.START_RUN.name)))
    assert await engine.scalar("SELECT count(*) FROM dead_letters") == 0
