"""How messages reach handlers: decoded, behind the outage gate, rejected only for bugs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage
from pydantic import ValidationError
from sqlalchemy import text

from contracts.errors import Invalid
from contracts.messages import SCHEMA_VERSION, Event, Message, Meta
from contracts.topology import Queue, QueueType
from contracts.wording import reason
from infra.broker import (
    consuming_broker,
    declare_topology,
    own_queue,
    queue_depths,
    rabbit_exchange,
    rabbit_queue,
    whole_message,
)
from infra.database import Sessions
from infra.ids import uuid7
from infra.outages import Gate, StillDown, is_outage

M = TypeVar("M", bound=Message)
Handle = Callable[[M, Meta], Awaitable[None]]
HandleRaw = Callable[[RabbitMessage], Awaitable[None]]

WATCH_SECONDS = 5.0

log = structlog.get_logger()


class NewerThanKnown(ValueError):
    """A publisher of a later version wrote this message: reading it as ours would guess."""

    def __init__(self, version: int) -> None:
        super().__init__(f"schema version {version} is newer than {SCHEMA_VERSION}, which this process knows")


def meta_of(message: RabbitMessage) -> Meta:
    """The envelope, from AMQP properties and headers; raises ValueError when it is not ours, or newer."""
    properties = message.raw_message
    version = int(str(properties.headers.get("schema-version", SCHEMA_VERSION)))
    if version > SCHEMA_VERSION:
        raise NewerThanKnown(version)
    return Meta(
        message_id=UUID(properties.message_id or ""),
        correlation_id=UUID(properties.correlation_id or ""),
        causation_id=UUID(str(properties.headers["causation-id"]))
        if "causation-id" in properties.headers
        else None,
        principal=str(properties.headers.get("principal", "system")),
        occurred_at=properties.timestamp or datetime.fromtimestamp(0, UTC),
        schema_version=version,
        traceparent=_text(properties.headers.get("traceparent")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


class Consumers:
    """All consumers of one process on one connection. A handler's return is the acknowledgement.

    An exception that is no outage rejects the message at once: it goes to the dead letters with its reason.
    """

    def __init__(self, url: str, *, queue_type: QueueType, gate: Gate, sessions: Sessions) -> None:
        self._url = url
        self._queue_type = queue_type
        self._gate = gate
        self._sessions = sessions
        self._broker: RabbitBroker = consuming_broker(url)
        self._durable: list[Queue] = []
        self._watch: asyncio.Task[None] | None = None
        self._started = False
        self.connected = False

    def on(self, queue: Queue, message_type: type[M], handle: Handle[M], *, prefetch: int) -> None:
        """Call `handle` for every message of a durable queue, `prefetch` at once."""
        self._durable.append(queue)
        self._subscribe(rabbit_queue(queue, self._queue_type), queue.exchange, message_type, handle, prefetch)

    def hear(self, event_type: type[Event], handle: Handle[Any], *, owner: str) -> None:
        """Call `handle` for every event, on a queue of this process alone."""
        queue = own_queue(event_type, owner=owner)
        self._subscribe(queue, event_type.exchange, event_type, handle, prefetch=50)

    def on_raw(self, queue: Queue, handle: HandleRaw, *, prefetch: int) -> None:
        """Call `handle` with messages as they are, readable or not."""
        self._durable.append(queue)
        subscriber = self._broker.subscriber(
            rabbit_queue(queue, self._queue_type),
            rabbit_exchange(queue.exchange),
            channel=Channel(prefetch_count=prefetch),
            ack_policy=AckPolicy.REJECT_ON_ERROR,
            decoder=whole_message,
            no_reply=True,
        )

        async def on_raw_message(message: RabbitMessage) -> None:
            await self._until_stored(lambda: handle(message))

        subscriber(on_raw_message)

    def _subscribe(
        self, queue: RabbitQueue, exchange: str, message_type: type[M], handle: Handle[M], prefetch: int
    ) -> None:
        subscriber = self._broker.subscriber(
            queue,
            rabbit_exchange(exchange),
            channel=Channel(prefetch_count=prefetch),
            ack_policy=AckPolicy.REJECT_ON_ERROR,
            decoder=whole_message,
            no_reply=True,
        )

        async def on_message(message: RabbitMessage) -> None:
            try:
                meta = meta_of(message)
                command = message_type.model_validate_json(message.body)
                await self._gate.run(lambda: handle(command, meta))
            except StillDown:
                log.warning("message.left_to_the_look", queue=queue.name)
            except Exception as error:
                await self._note_failure(message, queue.name, error)
                raise

        subscriber(on_message)

    async def _until_stored(self, work: Callable[[], Awaitable[None]]) -> None:
        """Dead letters have no second net: keep trying for as long as the database is away."""
        while True:
            try:
                return await self._gate.run(work)
            except StillDown:
                log.warning("dead_letter.waits_for_database")

    async def _note_failure(self, message: RabbitMessage, queue: str, error: Exception) -> None:
        log.error("message.rejected", queue=queue, error=str(error)[:1000], exc_info=error)
        try:
            message_id = UUID(message.raw_message.message_id or "")
            async with self._sessions.begin() as session:
                await session.execute(
                    text(
                        "INSERT INTO handler_failures (id, message_id, queue, error)"
                        " VALUES (:id, :message_id, :queue, :error)"
                    ),
                    {
                        "id": uuid7(),
                        "message_id": message_id,
                        "queue": queue,
                        "error": in_words(error),
                    },
                )
        except Exception:  # the dead letter is kept either way, only without its error text
            log.exception("message.failure_not_noted", queue=queue)

    async def start(self) -> None:
        """Declare what is consumed, connect, consume, and keep watching that consumers stay."""
        await self._connect()
        self.connected = True
        self._watch = asyncio.create_task(self._watch_loop(), name="consumer-watch")

    async def stop(self) -> None:
        """Stop consuming; what is being handled is finished first."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self.connected = False
        await self._broker.stop()

    async def _watch_loop(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                self.connected = await self._consumers_are_there()
                if not self.connected:
                    await self._reconnect()
            except Exception as error:
                self.connected = False
                if not is_outage(error) and not isinstance(error, TimeoutError):
                    log.exception("consumer.watch_failed")

    async def _connect(self) -> None:
        await declare_topology(self._url, queue_type=self._queue_type)
        await self._broker.start()
        self._started = True

    async def _consumers_are_there(self) -> bool:
        if not self._started:  # others may consume from the same queues: the broker's count tells nothing
            return False
        depths = await queue_depths(self._url, [queue.name for queue in self._durable])
        return all(depth.consumers > 0 for depth in depths)

    async def _reconnect(self) -> None:
        """The broker came back without our queues or consumers: declare and consume again."""
        log.warning("consumer.missing", queues=[queue.name for queue in self._durable])
        self._started = False
        await self._broker.stop()
        await self._connect()
        self.connected = await self._consumers_are_there()


def in_words(error: Exception) -> str:
    """What is stored of a handler's error: its kind, its text, and every field it complains about."""
    text = str(error)
    problems = error.problems if isinstance(error, Invalid) else ()
    fields = [f"{problem.field}: {problem.reason}" for problem in problems]
    if isinstance(error, ValidationError):
        text = f"{error.title} is not what its contract says."
        items = error.errors(include_url=False)
        fields = [
            f"{'.'.join(map(str, item['loc'])) or 'the message'}: {reason(item)}, not {item['input']!r:.200}"
            for item in items
        ]
    return "\n".join([f"{type(error).__name__}: {text}", *fields]).replace("\0", "")[:4000]


__all__: Sequence[str] = ("Consumers", "meta_of")
