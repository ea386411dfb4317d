"""Messages nobody could handle."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, one_of


class DeadLetterStatus(StrEnum):
    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class HandlerFailureRow(Base):
    """Why a handler rejected a message; the caretaker joins it to the dead letter. Written by consumers."""

    __tablename__ = "handler_failures"

    id: Mapped[Id]
    message_id: Mapped[UUID] = mapped_column(index=True)
    queue: Mapped[str]
    error: Mapped[str]
    occurred_at: Mapped[Now]


class DeadLetterRow(Base):
    """One message with its story. Written by the caretaker; replayed or discarded by the gateway.

    The subject (a run or a task) is parked while its dead letter is open.
    """

    __tablename__ = "dead_letters"

    id: Mapped[Id]
    queue: Mapped[str]
    exchange: Mapped[str]
    routing_key: Mapped[str]
    wire_type: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any]]
    reason: Mapped[str]
    first_error: Mapped[str | None]
    last_error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=text("1"))
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    created_at: Mapped[Now]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]

    __table_args__ = (
        one_of("status", DeadLetterStatus),
        Index("ix_dead_letters_status", "status", "id"),
        Index("ix_dead_letters_subject", "subject_id", "id"),
        Index(
            "ix_dead_letters_open",
            "subject_id",
            postgresql_where=text("status = 'open'"),
        ),
    )
