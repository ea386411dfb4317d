"""The envelope every message shares, and the registry that decodes one from the wire."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

COMMANDS = "ops.commands"
EVENTS = "ops.events"


SCHEMA_VERSION = 1
"""Of the envelope, and of how bodies are written at all. A consumer refuses what is newer than it knows."""


class Message(BaseModel):
    """An immutable order or fact. `wire_type` is forever: a new meaning is a new version.

    A newer publisher may have added optional fields; they are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    wire_type: ClassVar[str]
    exchange: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "wire_type" not in cls.__dict__:
            return
        if cls.wire_type in _REGISTRY:
            raise TypeError(f"{cls.wire_type} is already {_REGISTRY[cls.wire_type].__name__}")
        _REGISTRY[cls.wire_type] = cls

    @property
    def routing_key(self) -> str:
        """The wire type; commands for a pool add the pool's name."""
        return self.wire_type


_REGISTRY: dict[str, type[Message]] = {}


class Command(Message):
    """An order to one owner, named in the imperative: `StartRun`."""

    exchange: ClassVar[str] = COMMANDS


class Event(Message):
    """A fact anyone may hear, named in the past tense: `CancelRequested`."""

    exchange: ClassVar[str] = EVENTS


class Meta(BaseModel):
    """What travels beside the body, as AMQP properties and headers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    principal: str
    occurred_at: AwareDatetime
    schema_version: int = SCHEMA_VERSION
    traceparent: str | None = None


def known_messages() -> Mapping[str, type[Message]]:
    """Every message by wire type; the module that defines a message must have been imported."""
    return _REGISTRY
