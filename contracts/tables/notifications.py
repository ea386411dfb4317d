"""Where people want to hear of what, and each message sent to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, ProjectId


class ChannelRow(Base):
    """A way to reach people. Secrets are sealed. Written by the gateway."""

    __tablename__ = "channels"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    name: Mapped[str]
    kind: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    key_id: Mapped[str | None]
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Now]

    __table_args__ = (UniqueConstraint("project_id", "name"),)


class SubscriptionRow(Base):
    """A rule: which events go to which channel. Written by the gateway."""

    __tablename__ = "subscriptions"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), index=True)
    rule: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_by: Mapped[str]
    created_at: Mapped[Now]


class DeliveryRow(Base):
    """One message to one subscription for one event; sent once however often it is tried. By the notifier."""

    __tablename__ = "deliveries"

    id: Mapped[Id]
    event_id: Mapped[UUID]
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    run_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[Now]
    last_error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[Now]

    __table_args__ = (
        UniqueConstraint("event_id", "subscription_id"),
        Index("ix_deliveries_due", "not_before", postgresql_where=text("state = 'pending'")),
    )
