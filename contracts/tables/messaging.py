"""The outbox, and the keys that make requests repeatable."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Now


class OutboxRow(Base):
    """A message that commits with the rows it speaks of. Written by every unit of work, deleted by relays.

    Born with `available_at` a little ahead when it was handed to the process's own relay; whoever sweeps
    takes it over only after that.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False, cache=32), primary_key=True)
    exchange: Mapped[str]
    routing_key: Mapped[str]
    wire_type: Mapped[str]
    body: Mapped[dict[str, Any]]
    meta: Mapped[dict[str, Any]]
    available_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str | None]


class IdempotencyKeyRow(Base):
    """What was answered to a request with an Idempotency-Key; kept for 24 h. Written by the gateway."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    resource_id: Mapped[UUID]
    created_at: Mapped[Now] = mapped_column(index=True)
