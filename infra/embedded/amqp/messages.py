"""A message, its place in one queue, and the x-death record it carries once it was dead-lettered."""

import copy
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from pamqp.commands import Basic
from pamqp.header import ContentHeader

ENTRY_OVERHEAD = 600
"""Bytes that a message costs in Python objects besides its header and body (measured with tracemalloc)."""

DeathReason = Literal["rejected", "delivery_limit", "maxlen"]


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """Immutable: one message may stand in many queues."""

    exchange: str
    routing_key: str
    properties: Basic.Properties
    header: bytes
    body: bytes

    @property
    def size(self) -> int:
        return len(self.header) + len(self.body) + ENTRY_OVERHEAD


@dataclass(slots=True, order=True)
class Entry:
    """A message in one queue; `position` never changes, so what is given back finds its old place."""

    position: int
    message: Message = field(compare=False)
    redelivered: bool = field(default=False, compare=False)
    returns: int = field(default=0, compare=False)


def make_message(exchange: str, key: str, properties: Basic.Properties, body: bytes) -> Message:
    header = ContentHeader(body_size=len(body), properties=properties).marshal()
    return Message(exchange, key, properties, header, body)


def header_with(message: Message, name: str, value: int) -> bytes:
    """The content header with one more entry in its headers table."""
    properties = copy.copy(message.properties)
    properties.headers = {**(properties.headers or {}), name: value}
    return ContentHeader(body_size=len(message.body), properties=properties).marshal()


def bury(message: Message, *, queue: str, reason: DeathReason, exchange: str, key: str | None) -> Message:
    """The message as it goes to the dead-letter exchange, with `x-death` as RabbitMQ writes it.

    One record per (queue, reason), the latest first; a repeated death counts up and moves to the front.
    """
    properties = copy.copy(message.properties)
    headers: dict[str, Any] = dict(properties.headers or {})
    known = deaths_of(message)
    before = [death for death in known if (death.get("queue"), death.get("reason")) == (queue, reason)]
    others = [death for death in known if death not in before]
    if before:
        latest = {**before[0], "count": before[0].get("count", 0) + 1}
    else:
        latest = {
            "count": 1,
            "reason": reason,
            "queue": queue,
            "time": time.gmtime(),
            "exchange": message.exchange,
            "routing-keys": [message.routing_key],
        }
    headers["x-death"] = [latest, *others]
    for name, value in (("exchange", message.exchange), ("queue", queue), ("reason", reason)):
        headers.setdefault(f"x-first-death-{name}", value)
    properties.headers = headers
    return make_message(exchange, message.routing_key if key is None else key, properties, message.body)


def deaths_of(message: Message) -> list[dict[str, Any]]:
    """The `x-death` records, latest first; what a publisher wrote there in another shape is not a record."""
    found = (message.properties.headers or {}).get("x-death")
    records = found if isinstance(found, list) else []
    return [record for record in records if isinstance(record, dict)]


def would_cycle(message: Message, queue: str) -> bool:
    """Whether the message was in `queue` before and nobody rejected it since: it would go round for ever."""
    for death in deaths_of(message):
        if death.get("reason") == "rejected":
            return False
        if death.get("queue") == queue:
            return True
    return False
