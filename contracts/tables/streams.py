"""What is appended while runs go on and read by live streams; partitioned by month.

Rows are read in the order (xid, id) and only below every open transaction, so that no reader can miss one.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Xid8

STREAM_IDS = Sequence("stream_ids", metadata=Base.metadata, data_type=BigInteger, cache=32)
"""One sequence for both tables, so that (xid, id) is one order over both."""

_NEXT = text("nextval('stream_ids')")
_XID = text("pg_current_xact_id()")


class RunEventRow(Base):
    """One row per transaction and run that changed. Written by whoever changed the run or its tasks.

    `kind` is `tasks` (an array of changed tasks) or `run` (its new status).
    """

    __tablename__ = "run_events"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default=_NEXT)
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=text("now()"))
    run_id: Mapped[UUID]
    xid: Mapped[int] = mapped_column(Xid8, server_default=_XID)
    kind: Mapped[str]
    event: Mapped[dict[str, Any]]

    __table_args__ = (
        CheckConstraint("kind IN ('tasks', 'run')", name="kind_known"),
        Index("ix_run_events_stream", "run_id", "xid", "id"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )


class OutputChunkRow(Base):
    """Masked output of one attempt, numbered without gaps. Written by the executor that holds the task.

    `source_end` is how many bytes of the stream, as the target wrote them, end with this chunk.
    `occurred_at` is decided before the first try, so that a repeated insert is recognised.
    """

    __tablename__ = "output_chunks"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, server_default=_NEXT)
    run_id: Mapped[UUID]
    xid: Mapped[int] = mapped_column(Xid8, server_default=_XID)
    stream: Mapped[str]
    data: Mapped[str]
    source_end: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("stream IN ('stdout', 'stderr')", name="stream_known"),
        Index("ix_output_chunks_stream", "run_id", "xid", "id"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )


class StreamEpochRow(Base):
    """One row: which counting of transaction ids stream cursors belong to. Written by the migration."""

    __tablename__ = "stream_epoch"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
