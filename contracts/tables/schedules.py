"""Schedules, and one row for every instant at which one fired."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, ProjectId


class ScheduleRow(Base):
    """Edited by the gateway; `next_due` is moved by the scheduler."""

    __tablename__ = "schedules"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), index=True)
    name: Mapped[str]
    timing: Mapped[dict[str, Any]]
    """`{cron}`, `{every_seconds}` or `{at}`."""
    zone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    parameters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    policy: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Misfire, lateness, overlap, jitter, calendar."""
    next_due: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str | None]
    pause_reason: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_schedules_name",
            "project_id",
            "name",
            unique=True,
            postgresql_where=text("archived_at IS NULL"),
        ),
        Index(
            "ix_schedules_due",
            "next_due",
            postgresql_where=text("archived_at IS NULL AND paused_at IS NULL"),
        ),
    )


class ScheduleFireRow(Base):
    """One due instant: its key is what makes a fire happen once. Written by the scheduler."""

    __tablename__ = "schedule_fires"

    schedule_id: Mapped[UUID] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    )
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    fired_at: Mapped[Now]
    run_id: Mapped[UUID | None]
    outcome: Mapped[str]
