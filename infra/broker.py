"""The one place that knows how to talk to the broker, and every rule that was paid for.

Publishing and consuming use separate connections, because flow control blocks a publishing one. Topology is
declared on a third, short-lived one. Every publish is confirmed, persistent unless it only rings a bell,
mandatory where somebody must listen, and has a time-out of its own.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractRobustChannel, AbstractRobustConnection
from aio_pika.exceptions import DeliveryError, PublishError
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.message import RabbitMessage
from faststream.rabbit.schemas.queue import QueueType as FastStreamQueueType

from contracts import topology
from contracts.messages import Event, Meta, known_messages
from contracts.topology import Queue, QueueType

PUBLISH_SECONDS = 10.0
CONNECT_SECONDS = 10.0
RECONNECT_SECONDS = 1.0


class Unroutable(Exception):
    """No queue takes a message that somebody must hear."""


async def declare_topology(url: str, *, queue_type: QueueType, pools: Iterable[str] = ()) -> None:
    """Declare every exchange and durable queue, and the queues of `pools`, on a connection of its own."""
    connection = await aio_pika.connect(url, timeout=CONNECT_SECONDS)
    async with connection:
        channel = await connection.channel()
        exchanges = {
            spec.name: await channel.declare_exchange(spec.name, spec.type, durable=True)
            for spec in topology.EXCHANGES
        }
        for queue in topology.durable_queues(pools):
            declared = await channel.declare_queue(
                queue.name, durable=True, arguments=queue.arguments(queue_type)
            )
            await declared.bind(exchanges[queue.exchange], queue.routing_key)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What the broker says about one queue; -1 consumers when the queue does not exist."""

    name: str
    messages: int
    consumers: int


async def queue_depths(url: str, names: Iterable[str]) -> list[QueueDepth]:
    """Depth and consumers of each queue, asked of the broker itself."""
    connection = await aio_pika.connect(url, timeout=CONNECT_SECONDS)
    depths = []
    async with connection:
        for name in names:
            channel = await connection.channel()
            try:
                queue = await channel.declare_queue(name, passive=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                depths.append(QueueDepth(name, 0, -1))
                continue
            found = queue.declaration_result
            depths.append(QueueDepth(name, found.message_count or 0, found.consumer_count or 0))
            await channel.close()
    return depths


def must_be_heard(wire_type: str) -> bool:
    """Whether an unroutable message is an error.

    Not for events (anyone may listen, nobody must), and not for pool commands: a pool that nobody serves yet
    keeps its tasks ready in the database, where its first executor finds them.
    """
    message = known_messages().get(wire_type)
    pooled = any(queue.pool_template and queue.message is message for queue in topology.QUEUES)
    return not (pooled or (message is not None and issubclass(message, Event)))


class Publisher:
    """A confirmed, mandatory publisher on a connection of its own."""

    def __init__(self, url: str, *, name: str) -> None:
        self._url = url
        self._name = name
        self._connection: AbstractRobustConnection | None = None
        self._channel: AbstractRobustChannel | None = None
        self._connecting = asyncio.Lock()

    async def publish(
        self,
        *,
        exchange: str,
        routing_key: str,
        wire_type: str,
        body: bytes,
        meta: Meta,
        durable: bool = True,
    ) -> None:
        """Return once the broker has confirmed; raises `Unroutable`, `TimeoutError` or an AMQP error."""
        channel = await self.connect()
        target = await channel.get_exchange(exchange, ensure=False)
        try:
            await target.publish(
                _amqp_message(wire_type, body, meta, durable=durable),
                routing_key,
                mandatory=durable and must_be_heard(wire_type),
                timeout=PUBLISH_SECONDS,
            )
        except (PublishError, DeliveryError) as error:
            if isinstance(error, PublishError):
                raise Unroutable(f"no queue is bound for {routing_key} on {exchange}") from error
            raise

    async def connect(self) -> AbstractRobustChannel:
        """A channel to publish on; raises an AMQP error or OSError while the broker cannot be reached."""
        if self._channel is not None and not self._channel.is_closed:
            return self._channel
        async with self._connecting:
            if self._connection is None or self._connection.is_closed:
                self._connection = await aio_pika.connect_robust(
                    self._url,
                    timeout=CONNECT_SECONDS,
                    reconnect_interval=RECONNECT_SECONDS,
                    client_properties={"connection_name": f"opsconductor {self._name} publisher"},
                )
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        assert self._channel is not None  # noqa: S101  (set above)
        return self._channel

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def _amqp_message(wire_type: str, body: bytes, meta: Meta, *, durable: bool) -> aio_pika.Message:
    headers: dict[str, Any] = {"principal": meta.principal, "schema-version": meta.schema_version}
    if meta.causation_id is not None:
        headers["causation-id"] = str(meta.causation_id)
    if meta.traceparent is not None:
        headers["traceparent"] = meta.traceparent
    return aio_pika.Message(
        body,
        content_type="application/json",
        type=wire_type,
        message_id=str(meta.message_id),
        correlation_id=str(meta.correlation_id),
        timestamp=meta.occurred_at,
        headers=headers,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT if durable else aio_pika.DeliveryMode.NOT_PERSISTENT,
    )


def consuming_broker(url: str) -> RabbitBroker:
    """A FastStream broker for consumers: bounded prefetch, our own drain, reconnecting.

    Its dependency injection is off: it hands every message through a thread, which costs more than the rest.
    """
    return RabbitBroker(
        url,
        default_channel=Channel(prefetch_count=8, on_return_raises=True),
        reconnect_interval=RECONNECT_SECONDS,
        graceful_timeout=5.0,
        fail_fast=True,
        logger=None,
        apply_types=False,
    )


async def whole_message(message: RabbitMessage) -> RabbitMessage:
    """The decoder for our consumers: a handler gets the message itself, body and envelope undecoded."""
    return message


def rabbit_queue(queue: Queue, queue_type: QueueType) -> RabbitQueue:
    """The declaration a consumer makes of its own queue, so that a wiped broker gets it back."""
    arguments: Any = queue.arguments(queue_type)
    if queue_type == "classic":
        return RabbitQueue(queue.name, durable=True, routing_key=queue.routing_key, arguments=arguments)
    return RabbitQueue(
        queue.name,
        queue_type=FastStreamQueueType.QUORUM,
        durable=True,
        routing_key=queue.routing_key,
        arguments=arguments,
    )


def own_queue(message: type[Event], *, owner: str) -> RabbitQueue:
    """An exclusive queue of this process alone, gone with its connection."""
    return RabbitQueue(
        f"{owner}.{message.wire_type}",
        durable=False,
        exclusive=True,
        auto_delete=True,
        routing_key=message.wire_type,
    )


def rabbit_exchange(name: str) -> RabbitExchange:
    [spec] = (exchange for exchange in topology.EXCHANGES if exchange.name == name)
    return RabbitExchange(spec.name, type=ExchangeType(spec.type), durable=True)
