"""Worker processes and their leases."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from contracts.tables.base import Base, Id, Now


class WorkerRow(Base):
    """One process start. Renewed by itself; `released_at` is set once, when its tasks were taken from it."""

    __tablename__ = "workers"

    id: Mapped[Id]
    roles: Mapped[list[Any]] = mapped_column(ARRAY(Text))
    pools: Mapped[list[Any]] = mapped_column(ARRAY(Text))
    slots: Mapped[int]
    host: Mapped[str]
    pid: Mapped[int]
    version: Mapped[str]
    started_at: Mapped[Now]
    lease_until: Mapped[datetime]
    draining_at: Mapped[datetime | None]
    """Since when it takes no more work, because it was told to end."""
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]

    __table_args__ = (Index("ix_workers_lease", "lease_until", postgresql_where=text("released_at IS NULL")),)
