"""Who gets in, how a connection ends, and that a broken peer hurts nobody but itself."""

import asyncio
import struct
from collections.abc import Awaitable, Callable

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AuthenticationError, ProbableAuthenticationError
from pamqp import frame as codec
from pamqp.commands import Basic, Channel, Connection, Queue
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat
from yarl import URL

from tests.support.amqp_endpoints import EmbeddedEndpoint, Endpoint, Name
from tests.support.amqp_queues import depth, fetch
from tests.support.raw_amqp import RawAmqp

BASIC = 60


@pytest.mark.parametrize(("user", "password"), [("nobody", "secret"), ("tester", "wrong"), ("", "")])
async def test_wrong_credentials_are_refused_with_403(broker: Endpoint, user: str, password: str) -> None:
    url = str(URL(broker.url).with_user(user or "x").with_password(password))

    with pytest.raises((ProbableAuthenticationError, AuthenticationError), match="ACCESS_REFUSED"):
        await aio_pika.connect(url)


async def test_an_unknown_virtual_host_is_refused_with_530(broker: Endpoint) -> None:
    raw = await RawAmqp.tuned(broker.url)
    raw.method(0, Connection.Open("nowhere"))

    assert (await raw.connection_close()).reply_code == 530
    await raw.close()


async def test_a_client_of_another_protocol_is_told_ours_and_let_go(broker: Endpoint) -> None:
    raw = await RawAmqp.dial(broker.url)
    raw.write(b"GET / HTTP/1.1\r\n\r\n")

    assert await raw.reader.readexactly(8) == b"AMQP\x00\x00\x09\x01"
    await raw.closed()
    await raw.close()


async def test_a_silent_peer_is_cut_off_after_two_heartbeats_and_one_that_beats_stays(
    broker: Endpoint,
) -> None:
    silent = await RawAmqp.connect(broker.url, heartbeat=1)
    lively = await RawAmqp.connect(broker.url, heartbeat=1)

    async def beat() -> None:
        while True:
            _, frame = await lively.next()
            assert isinstance(frame, Heartbeat)
            lively.write(Heartbeat.marshal())

    beating = asyncio.create_task(beat())
    await silent.closed()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)

    lively.method(0, Connection.Close(200, "bye", 0, 0))
    await lively.expect(Connection.CloseOk)
    await silent.close()
    await lively.close()


async def bad_frame_type(raw: RawAmqp) -> None:
    raw.frame(77, 1, b"garbage")


async def garbage(raw: RawAmqp) -> None:
    raw.write(bytes(range(256)) * 4)


async def wrong_frame_end(raw: RawAmqp) -> None:
    payload = struct.pack(">I", Basic.Ack.index) + bytes(9)
    raw.frame(1, 1, payload, end=0)


async def giant_frame(raw: RawAmqp) -> None:
    raw.write(struct.pack(">BHI", 1, 1, 2**31) + b"x" * 100)


async def body_without_header(raw: RawAmqp) -> None:
    raw.method(1, Basic.Publish(routing_key="x"))
    raw.frame(3, 1, b"body")


async def header_without_method(raw: RawAmqp) -> None:
    raw.write(codec.marshal(ContentHeader(body_size=1), 1))


async def method_instead_of_content(raw: RawAmqp) -> None:
    raw.method(1, Basic.Publish(routing_key="x"))
    raw.method(1, Basic.Qos(prefetch_count=1))


async def channel_not_open(raw: RawAmqp) -> None:
    raw.method(7, Basic.Qos(prefetch_count=1))


async def channel_opened_twice(raw: RawAmqp) -> None:
    raw.method(1, Channel.Open())


MALFORMED: dict[Callable[[RawAmqp], Awaitable[None]], int] = {
    bad_frame_type: 501,
    garbage: 501,
    wrong_frame_end: 501,
    giant_frame: 501,
    body_without_header: 505,
    header_without_method: 505,
    method_instead_of_content: 505,
    channel_not_open: 504,
    channel_opened_twice: 504,
}


async def test_malformed_frames_end_their_own_connections_only(
    broker: Endpoint, connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)

    async def answered(attack: Callable[[RawAmqp], Awaitable[None]]) -> int | None:
        raw = await RawAmqp.with_channel(broker.url)
        await attack(raw)
        refusal = await raw.connection_close()
        raw.method(0, Connection.CloseOk())
        await raw.closed()
        await raw.close()
        return refusal.reply_code

    codes = await asyncio.gather(*(answered(attack) for attack in MALFORMED))

    assert dict(zip(MALFORMED, codes, strict=True)) == MALFORMED
    await channel.default_exchange.publish(aio_pika.Message(b"unharmed"), queue.name)
    assert (await fetch(queue)).body == b"unharmed"


@pytest.mark.parametrize(
    "payload",
    [
        struct.pack(">I", Queue.Declare.index) + b"\x00\x00\xff",
        struct.pack(">I", Queue.Declare.index) + b"\x00\x00\x02\xff\xfe\x00\x00\x00\x00\x00",
        struct.pack(">I", Basic.Publish.index),
        struct.pack(">I", 0x00FF00FF),
        b"\x00",
        b"",
    ],
)
async def test_arguments_that_cannot_be_read_close_the_connection(broker: Endpoint, payload: bytes) -> None:
    raw = await RawAmqp.with_channel(broker.url)

    raw.frame(1, 1, payload)

    try:
        assert (await raw.connection_close()).reply_code in (501, 502, 503, 541)
    except asyncio.IncompleteReadError:
        assert not broker.embedded, "only RabbitMQ closes some without a word"
    await raw.close()


async def test_deeply_nested_headers_are_refused_not_a_crash(
    embedded: EmbeddedEndpoint,
) -> None:
    """Embedded only: RabbitMQ reads them."""
    raw = await RawAmqp.with_channel(embedded.url)
    raw.method(1, Basic.Publish(routing_key="x"))
    nested = b""
    for _depth in range(5000):
        nested = b"A" + struct.pack(">I", len(nested)) + nested
    table = b"\x01k" + nested

    header = struct.pack(">HHQH", BASIC, 0, 0, 1 << 13) + struct.pack(">I", len(table)) + table
    raw.frame(2, 1, header)

    assert (await raw.connection_close()).reply_code == 501
    await raw.close()


async def test_a_peer_that_vanishes_in_the_middle_of_a_message_leaves_nothing(
    broker: Endpoint, connection: AbstractConnection, name: Name
) -> None:
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)
    raw = await RawAmqp.with_channel(broker.url)
    raw.publish_header(1000, key=queue.name)
    raw.frame(3, 1, b"half")
    await raw.writer.drain()

    await raw.close()

    assert await depth(channel, queue) == 0


async def test_a_peer_that_never_introduces_itself_is_let_go(
    embedded: EmbeddedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Embedded only, because of the short time-out."""
    monkeypatch.setattr("infra.embedded.amqp.connection.HANDSHAKE_SECONDS", 0.05)
    raw = await RawAmqp.dial(embedded.url)

    await raw.closed()

    await raw.close()


async def test_a_peer_that_does_not_read_gets_no_more_than_the_socket_takes(
    broker: Endpoint, connection: AbstractConnection, name: Name
) -> None:
    """What it did not get stays in the queue, and the others are served."""
    channel = await connection.channel()
    queue = await channel.declare_queue(name("q"), durable=True)
    raw = await RawAmqp.with_channel(broker.url)
    raw.method(1, Basic.Consume(queue=queue.name))
    await raw.expect(Basic.ConsumeOk)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]

    body = b"x" * 1024 * 1024
    for _number in range(40):
        await channel.default_exchange.publish(aio_pika.Message(body), queue.name)

    other = await channel.declare_queue(name("other"), durable=True)
    await channel.default_exchange.publish(aio_pika.Message(b"!"), other.name)
    assert (await fetch(other)).body == b"!"
    if broker.embedded:
        assert await depth(channel, queue) > 20
    raw.writer.transport.abort()
    await raw.close()


async def test_stopping_closes_every_connection_with_320(embedded: EmbeddedEndpoint) -> None:
    """Embedded only."""
    raw = await RawAmqp.with_channel(embedded.url)
    rude = await RawAmqp.with_channel(embedded.url)

    stopping = asyncio.create_task(embedded.go_down())

    assert (await raw.connection_close()).reply_code == 320
    raw.method(0, Connection.CloseOk())
    await raw.closed()
    await rude.closed()
    await stopping
    await embedded.come_back()
    await raw.close()
    await rude.close()
