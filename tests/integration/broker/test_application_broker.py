"""The application's own broker code against the embedded endpoint.

Embedded only: these are the real queue names, and a RabbitMQ under test may be shared.
"""

import asyncio
from uuid import UUID, uuid4

import pytest
from faststream.rabbit import Channel, RabbitBroker
from faststream.rabbit.annotations import RabbitMessage

from contracts.messages import COMMANDS, EVENTS, Meta
from contracts.runs.messages import RunsChanged, StartRun
from contracts.topology import DEAD_LETTERS, DELIVERY_LIMIT, START_RUN, QueueType
from infra import broker as brokers
from infra import clock
from tests.support.amqp_endpoints import EmbeddedEndpoint
from tests.support.eventually import eventually

QUEUE_TYPES = pytest.mark.parametrize("queue_type", ["classic", "quorum"])


def a_meta() -> Meta:
    return Meta(message_id=uuid4(), correlation_id=uuid4(), principal="tester", occurred_at=clock.now())


async def ring(publisher: brokers.Publisher, run_id: UUID) -> None:
    command = StartRun(run_id=run_id)
    await publisher.publish(
        exchange=COMMANDS,
        routing_key=command.routing_key,
        wire_type=command.wire_type,
        body=command.model_dump_json().encode(),
        meta=a_meta(),
    )


@QUEUE_TYPES
async def test_commands_arrive_and_what_raises_becomes_a_dead_letter(
    embedded: EmbeddedEndpoint, queue_type: QueueType
) -> None:
    await brokers.declare_topology(embedded.url, queue_type=queue_type, pools=["default", "dmz"])
    await brokers.declare_topology(embedded.url, queue_type=queue_type, pools=["default", "dmz"])
    heard: list[UUID] = []
    dead: list[RabbitMessage] = []
    app = brokers.consuming_broker(embedded.url)

    @app.subscriber(
        brokers.rabbit_queue(START_RUN, queue_type),
        brokers.rabbit_exchange(START_RUN.exchange),
        channel=Channel(prefetch_count=4),
    )
    async def on_start_run(body: dict[str, object]) -> None:
        command = StartRun.model_validate(body)
        heard.append(command.run_id)
        if command.run_id.int == 0:
            raise RuntimeError("a bug")

    @app.subscriber(
        brokers.rabbit_queue(DEAD_LETTERS, queue_type),
        brokers.rabbit_exchange(DEAD_LETTERS.exchange),
        decoder=brokers.whole_message,
    )
    async def on_dead_letter(message: RabbitMessage) -> None:
        dead.append(message)

    publisher, runs = brokers.Publisher(embedded.url, name="test"), [uuid4() for _ in range(50)]
    async with app:
        await app.start()
        await asyncio.gather(*(ring(publisher, run) for run in [*runs, UUID(int=0)]))
        await eventually(lambda: len(heard) == 51 and len(dead) == 1)
        depths = await brokers.queue_depths(embedded.url, [START_RUN.name, "nobody.has-this"])
    await publisher.close()

    assert set(heard) == {*runs, UUID(int=0)}
    assert dead[0].raw_message.headers["x-death"][0]["queue"] == START_RUN.name  # type: ignore[index, call-overload]
    assert [(depth.messages, depth.consumers) for depth in depths] == [(0, 1), (0, -1)]


async def test_a_command_nobody_is_bound_for_is_unroutable(embedded: EmbeddedEndpoint) -> None:
    await brokers.declare_topology(embedded.url, queue_type="quorum")
    publisher = brokers.Publisher(embedded.url, name="test")

    with pytest.raises(brokers.Unroutable):
        await publisher.publish(
            exchange=COMMANDS, routing_key="runs.no-such.v1", wire_type="x", body=b"{}", meta=a_meta()
        )
    await publisher.close()


def listening(url: str, owner: str, heard: list[str]) -> RabbitBroker:
    app = brokers.consuming_broker(url)

    @app.subscriber(brokers.own_queue(RunsChanged, owner=owner), brokers.rabbit_exchange(EVENTS))
    async def hear(_event: RunsChanged) -> None:
        heard.append(owner)

    return app


async def test_every_process_hears_an_event_on_a_queue_of_its_own(embedded: EmbeddedEndpoint) -> None:
    await brokers.declare_topology(embedded.url, queue_type="quorum")
    heard: list[str] = []
    apps = [listening(embedded.url, f"gateway-{number}", heard) for number in range(2)]
    publisher, event = brokers.Publisher(embedded.url, name="test"), RunsChanged(run_ids=(uuid4(),))
    async with apps[0], apps[1]:
        for app in apps:
            await app.start()
        await publisher.publish(
            exchange=EVENTS,
            routing_key=event.routing_key,
            wire_type=event.wire_type,
            body=event.model_dump_json().encode(),
            meta=a_meta(),
            durable=False,
        )
        await eventually(lambda: sorted(heard) == ["gateway-0", "gateway-1"])
    own = [brokers.own_queue(RunsChanged, owner=f"gateway-{number}").name for number in range(2)]
    gone = await brokers.queue_depths(embedded.url, own)
    await publisher.close()

    assert [depth.consumers for depth in gone] == [-1, -1]


async def test_a_message_that_kills_its_consumer_is_not_delivered_for_ever(
    embedded: EmbeddedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "RECONNECT_SECONDS", 0.05)
    await brokers.declare_topology(embedded.url, queue_type="quorum")
    publisher, app = (
        brokers.Publisher(embedded.url, name="test"),
        brokers.consuming_broker(embedded.relayed_url),
    )
    deliveries, over = 0, asyncio.Event()

    @app.subscriber(brokers.rabbit_queue(START_RUN, "quorum"), brokers.rabbit_exchange(START_RUN.exchange))
    async def never_ends(_command: StartRun) -> None:
        nonlocal deliveries
        deliveries += 1
        await over.wait()

    async def is_dead() -> bool:
        [depth] = await brokers.queue_depths(embedded.url, [DEAD_LETTERS.name])
        return depth.messages == 1

    async with app:
        await app.start()
        await ring(publisher, uuid4())
        for delivery in range(DELIVERY_LIMIT + 1):
            await eventually(lambda delivery=delivery: deliveries == delivery + 1)
            await embedded.cut()
        await eventually(is_dead)
        over.set()
    await publisher.close()
    assert deliveries == DELIVERY_LIMIT + 1
