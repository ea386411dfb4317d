"""What the embedded endpoint does not implement is refused with 540, by name. RabbitMQ can do most of it."""

import pytest
from pamqp import frame as codec
from pamqp.commands import Basic, Channel, Connection, Exchange, Queue, Tx
from pamqp.header import ContentHeader

from tests.support.amqp_endpoints import EmbeddedEndpoint
from tests.support.raw_amqp import RawAmqp

EXCHANGES: list[dict[str, object]] = [
    {"exchange_type": "direct"},
    {"exchange_type": "fanout"},
    {"exchange_type": "headers"},
    {"exchange": "amq.mine"},
    {"internal": True},
    {"auto_delete": True},
    {"arguments": {"alternate-exchange": "x"}},
]
ARGUMENTS: list[dict[str, object]] = [
    {"x-queue-type": "stream"},
    {"x-max-length": 5},
    {"x-max-priority": 3},
    {"x-message-ttl": 1000},
    {"x-overflow": "drop-head"},
    {"x-queue-type": "quorum", "x-dead-letter-strategy": "at-most-once"},
    {"x-queue-type": "quorum", "x-delivery-limit": -1},
    {"x-queue-type": "quorum", "x-delivery-limit": "many"},
]
METHODS: list[tuple[codec.FrameTypes, str]] = [
    *(
        (Exchange.Declare(**{"exchange": "e", "exchange_type": "topic", "durable": True} | options), name)  # type: ignore[arg-type]
        for options in EXCHANGES
        for name in [str(next(reversed(options.values())))]
    ),
    *((Queue.Declare(queue="q", durable=True, arguments=each), list(each)[-1]) for each in ARGUMENTS),  # type: ignore[arg-type]
    (Exchange.Declare(exchange="passing", exchange_type="topic"), "passing"),
    (Queue.Declare(queue="amq.mine"), "amq.mine"),
    (Tx.Select(), "Tx.Select"),
    (Exchange.Bind(destination="a", source="b"), "Exchange.Bind"),
    (Exchange.Delete(exchange="e"), "Exchange.Delete"),
    (Queue.Unbind(queue="q", exchange="e"), "Queue.Unbind"),
    (Queue.Delete(queue="q", if_unused=True), "if_unused"),
    (Queue.Delete(queue="q", if_empty=True), "if_empty"),
    (Basic.Get(queue="q"), "Basic.Get"),
    (Basic.Qos(prefetch_count=1, global_=True), "global"),
    (Basic.Recover(requeue=True), "Basic.Recover"),
    (Basic.Publish(routing_key="x", immediate=True), "immediate"),
    (Basic.Consume(queue="q", exclusive=True), "exclusive"),
    (Basic.Consume(queue="q", no_local=True), "no_local"),
    (Basic.Consume(queue="amq.rabbitmq.reply-to", no_ack=True), "no_ack"),
    (Basic.Consume(queue="q", arguments={"x-priority": 3}), "x-priority"),
    (Basic.Ack(delivery_tag=1, multiple=True), "multiple"),
    (Basic.Nack(delivery_tag=1, multiple=True), "multiple"),
    (Channel.Flow(active=False), "Channel.Flow"),
    (Connection.UpdateSecret("secret", "why"), "Connection.UpdateSecret"),
]


@pytest.mark.parametrize(("method", "thing"), METHODS, ids=lambda each: getattr(each, "name", each))
async def test_what_is_not_implemented_is_refused_by_name(
    embedded: EmbeddedEndpoint, method: codec.FrameTypes, thing: str
) -> None:
    raw = await RawAmqp.with_channel(embedded.url)

    raw.write(codec.marshal(method, 0 if isinstance(method, Connection.UpdateSecret) else 1))

    refusal = await raw.connection_close()
    assert refusal.reply_code == 540
    assert thing in refusal.reply_text
    await raw.close()


@pytest.mark.parametrize(
    ("properties", "thing"),
    [
        ({"expiration": "1000"}, "expiration"),
        ({"user_id": "somebody"}, "user_id"),
        ({"headers": {"CC": ["x"]}}, "CC"),
        ({"headers": {"BCC": ["x"]}}, "BCC"),
        ({"headers": {"x-death": []}}, "x-death"),
    ],
)
async def test_message_properties_that_are_not_implemented_are_refused_by_name(
    embedded: EmbeddedEndpoint, properties: dict[str, object], thing: str
) -> None:
    raw = await RawAmqp.with_channel(embedded.url)
    raw.method(1, Basic.Publish(routing_key="x"))

    raw.write(codec.marshal(ContentHeader(properties=Basic.Properties(**properties)), 1))  # type: ignore[arg-type]

    refusal = await raw.connection_close()
    assert (refusal.reply_code, thing in refusal.reply_text) == (540, True)
    await raw.close()
