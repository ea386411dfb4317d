"""Jobs and their immutable versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, ProjectId


class JobRow(Base):
    """Written by the gateway."""

    __tablename__ = "jobs"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    inactive_reason: Mapped[str | None]
    current_version: Mapped[int]
    labels: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What tools note on it, such as the source that it is kept in."""
    created_by: Mapped[str]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_jobs_name",
            "project_id",
            "name",
            unique=True,
            postgresql_where=text("archived_at IS NULL"),
        ),
    )


class JobVersionRow(Base):
    """A definition as it was saved; never changed. Written by the gateway."""

    __tablename__ = "job_versions"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    source: Mapped[str | None]
    """The YAML text as its author wrote it, comments and all; null when JSON was sent."""
    message: Mapped[str | None]
    """Why it was saved."""
    created_by: Mapped[str]
    created_at: Mapped[Now]
