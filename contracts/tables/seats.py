"""Who uses a session of whom on which machine."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base


class SeatRow(Base):
    """One session of one account on one target, for as long as an attempt uses it. Written by executors.

    Places are numbered from 1 to the target's `max_concurrent` (`contracts.targets.seats`); the primary key
    is what keeps all executors together within it.
    """

    __tablename__ = "seats"

    target_id: Mapped[UUID] = mapped_column(ForeignKey("targets.id", ondelete="CASCADE"), primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    task_id: Mapped[UUID]
    """Or the id of a connection test, with its try as `attempt`."""
    attempt: Mapped[int] = mapped_column(SmallInteger)
    worker_id: Mapped[UUID]

    __table_args__ = (Index("ix_seats_task", "task_id"), Index("ix_seats_worker", "worker_id"))
