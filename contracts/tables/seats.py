"""Who uses a session of whom on which machine, and who has to go back to one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Now


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


class LeftBehindRow(Base):
    """An attempt that is over and may have left something on its target. Written by executors and caretaker.

    Executors go back there, more and more rarely, until it is removed or they give up. Nobody goes before the
    task itself has ended: its next attempt may go on with what is there.
    """

    __tablename__ = "left_behind"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    target_id: Mapped[UUID] = mapped_column(ForeignKey("targets.id", ondelete="CASCADE"))
    account: Mapped[str]
    protocol: Mapped[str]
    """`winrm` or `ssh`: whose sessions of the account it takes to go back there."""
    tries: Mapped[int] = mapped_column(SmallInteger)
    why: Mapped[str]
    """Why it could not be removed the last time."""
    since: Mapped[Now]
    next_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("protocol IN ('winrm', 'ssh')", name="protocol_known"),
        Index("ix_left_behind_target", "target_id"),
        Index("ix_left_behind_next", "next_at"),
    )
