"""How messages are consumed: bounded, acknowledged by the handler's return, and kept when it fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import pytest
from sqlalchemy import text
from yarl import URL

from contracts import topology
from contracts.messages import Meta
from contracts.runs.messages import StartRun
from infra import broker as brokers
from infra.batching import Batcher
from infra.broker import Publisher, Unroutable
from infra.consuming import Consumers
from infra.database import connect, sessions_of
from infra.outages import Gate
from infra.unit_of_work import new_meta
from tests.support.amqp_endpoints import Endpoint
from tests.support.database import server_url
from tests.support.engine import Engine
from tests.support.eventually import eventually
from tests.support.tcp_relay import TcpRelay
from workers.caretaker.role import dead_message
from workers.caretaker.usecases import keep_dead_letters

Handle = Callable[[StartRun, Meta], Awaitable[None]]


class Consuming:
    """Consumers of StartRun and of dead letters, as a worker process has them."""

    def __init__(self, engine: Engine, endpoint: Endpoint, *, ping: Callable[[], Awaitable[Any]]) -> None:
        self.url = endpoint.url
        self.gate = Gate(ping)
        self.consumers = Consumers(
            endpoint.url, queue_type="quorum", gate=self.gate, sessions=engine.sessions
        )
        self.publisher = Publisher(endpoint.url, name="test")
        self.engine = engine

    async def start(self, handle: Handle, *, prefetch: int = 10) -> None:
        self.consumers.on(topology.START_RUN, StartRun, handle, prefetch=prefetch)
        self.consumers.on_raw(topology.DEAD_LETTERS, self._bury, prefetch=5)
        await self.consumers.start()

    async def _bury(self, message: Any) -> None:
        await keep_dead_letters([dead_message(message)], open_uow=self.engine.open_uow)

    async def send(self, body: bytes, **more: Any) -> None:
        values: dict[str, Any] = {
            "exchange": StartRun.exchange,
            "routing_key": StartRun.wire_type,
            "wire_type": StartRun.wire_type,
            "meta": new_meta(principal="tester"),
        }
        await self.publisher.publish(body=body, **(values | more))

    async def start_run(self) -> UUID:
        run = uuid4()
        await self.send(StartRun(run_id=run).model_dump_json().encode())
        return run

    async def letters(self) -> list[Any]:
        return await self.engine.rows("SELECT * FROM dead_letters ORDER BY id")


@pytest.fixture
async def consuming(engine: Engine, endpoint: Endpoint) -> AsyncIterator[Consuming]:
    each = Consuming(engine, endpoint, ping=lambda: engine.rows("SELECT 1"))
    yield each
    await each.consumers.stop()
    await each.publisher.close()
    await each.gate.close()


async def test_no_more_handlers_run_at_once_than_the_prefetch_allows(consuming: Consuming) -> None:
    at_once = most = done = 0
    go_on = asyncio.Event()

    async def handle(_command: StartRun, _meta: Meta) -> None:
        nonlocal at_once, most, done
        at_once += 1
        most = max(most, at_once)
        await go_on.wait()
        at_once -= 1
        done += 1

    await asyncio.gather(*(consuming.start_run() for _ in range(30)))
    await consuming.start(handle, prefetch=3)
    await eventually(lambda: at_once == 3)
    depths = await brokers.queue_depths(consuming.url, [topology.START_RUN.name])
    go_on.set()
    await eventually(lambda: done == 30)

    assert most == 3
    assert depths[0].consumers == 1


async def test_a_handler_that_fails_makes_a_dead_letter_at_once_with_all_that_is_known(
    consuming: Consuming,
) -> None:
    calls = 0

    async def handle(_command: StartRun, _meta: Meta) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("a bug in\0 here")

    await consuming.start(handle)
    run = await consuming.start_run()
    [letter] = await eventually(consuming.letters)

    assert calls == 1, "nothing is ever handed back to be tried again"
    assert (letter.exchange, letter.routing_key) == (StartRun.exchange, StartRun.wire_type)
    assert (letter.queue, letter.reason, letter.status) == (topology.START_RUN.name, "rejected", "open")
    assert letter.last_error == "RuntimeError: a bug in here"
    assert (letter.subject_kind, letter.subject_id) == ("run", run)
    assert StartRun.model_validate_json(letter.body).run_id == run


@pytest.mark.parametrize("body", [b"{not json", b"\xff\xfe\0", b"", b'{"run_id": "no uuid"}', b"[]"])
async def test_a_malformed_body_is_kept_as_it_is(consuming: Consuming, body: bytes) -> None:
    heard: list[UUID] = []

    async def handle(command: StartRun, _meta: Meta) -> None:
        heard.append(command.run_id)

    await consuming.start(handle)
    await consuming.send(body)
    run = await consuming.start_run()
    [letter] = await eventually(consuming.letters)

    assert letter.body == body
    await eventually(lambda: heard == [run])


@pytest.mark.parametrize("version", [2, 99])
async def test_a_message_of_a_newer_schema_is_kept_and_not_guessed_at(
    consuming: Consuming, version: int
) -> None:
    heard: list[tuple[UUID, int]] = []

    async def handle(command: StartRun, meta: Meta) -> None:
        heard.append((command.run_id, meta.schema_version))

    await consuming.start(handle)
    newer = new_meta(principal="tester").model_copy(update={"schema_version": version})
    await consuming.send(StartRun(run_id=uuid4()).model_dump_json().encode(), meta=newer)
    run = await consuming.start_run()
    [letter] = await eventually(consuming.letters)

    assert f"schema version {version} is newer than 1" in letter.last_error
    assert letter.headers["schema-version"] == version
    await eventually(lambda: heard == [(run, 1)])


async def test_what_must_be_heard_and_reaches_nobody_raises(consuming: Consuming) -> None:
    with pytest.raises(Unroutable, match=r"no queue is bound for runs\.nobody\.v1"):
        await consuming.send(b"{}", routing_key="runs.nobody.v1")


async def test_publishing_and_consuming_use_connections_of_their_own(
    consuming: Consuming, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle(_command: StartRun, _meta: Meta) -> None:
        """Nothing to do."""

    await consuming.start(handle)
    await consuming.start_run()

    publishing = consuming.publisher._connection
    reading = consuming.consumers._broker._connection
    assert publishing is not None
    assert reading is not None
    assert publishing is not reading


async def test_a_publish_that_is_never_confirmed_ends_by_its_own_time_out(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "PUBLISH_SECONDS", 0.0001)
    publisher = Publisher(endpoint.url, name="test")
    with pytest.raises(TimeoutError):
        await publisher.publish(
            exchange=StartRun.exchange,
            routing_key=StartRun.wire_type,
            wire_type=StartRun.wire_type,
            body=b"{}",
            meta=new_meta(principal="tester"),
        )
    await publisher.close()


@pytest.fixture
async def network() -> AsyncIterator[TcpRelay]:
    """The way to PostgreSQL, which can be cut."""
    server = URL(server_url())
    relay = TcpRelay(server.host or "127.0.0.1", server.port or 5432)
    await relay.start()
    yield relay
    await relay.stop()


async def test_a_database_outage_rejects_nothing_and_loses_nothing(
    engine: Engine, endpoint: Endpoint, network: TcpRelay, messaging_database_url: str
) -> None:
    url = URL(messaging_database_url).with_host("127.0.0.1").with_port(network.port)
    behind = connect(str(url), name="tests", pool_size=3)
    sessions = sessions_of(behind)

    async def ping() -> None:
        async with sessions() as session:
            await session.execute(text("SELECT 1"))

    async def write(items: Any) -> Any:
        insert = """INSERT INTO handler_failures (id, message_id, queue, error)
                    VALUES (:id, :id, 'q', 'e') ON CONFLICT DO NOTHING"""
        async with sessions.begin() as session:
            for item in items:
                await session.execute(text(insert), {"id": item})
        return [None] * len(items)

    each = Consuming(engine, endpoint, ping=ping)
    batcher: Batcher[UUID, None] = Batcher(write, gate=each.gate)

    async def handle(command: StartRun, _meta: Meta) -> None:
        await batcher.submit(command.run_id)

    async def stored() -> bool:
        rows = await engine.rows("SELECT id FROM handler_failures")
        return {row.id for row in rows} == runs

    await each.start(handle)
    runs = {await each.start_run() for _ in range(5)}
    await eventually(stored)
    await network.stop()
    runs |= {await each.start_run() for _ in range(20)}
    await eventually(lambda: not each.gate.is_open)
    await network.start()
    await eventually(stored)
    letters = await each.letters()
    await each.consumers.stop()
    await each.publisher.close()
    await each.gate.close()
    await behind.dispose()

    assert letters == []
    async with await aio_pika.connect(endpoint.url) as connection, connection.channel() as channel:
        dead = await channel.declare_queue(topology.DEAD_LETTERS.name, passive=True)
        assert dead.declaration_result.message_count == 0
