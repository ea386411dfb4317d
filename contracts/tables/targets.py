"""The machines."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, ProjectId, one_of


class TargetOs(StrEnum):
    WINDOWS = "windows"
    LINUX = "linux"


class TargetRow(Base):
    """Written by the gateway, `facts` by executors.

    `version` counts edits; an attempt records the one it used. Facts are no edit.
    """

    __tablename__ = "targets"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    name: Mapped[str]
    os: Mapped[str]
    hostname: Mapped[str]
    credential_id: Mapped[UUID | None] = mapped_column(ForeignKey("credentials.id"), index=True)
    pool: Mapped[str] = mapped_column(server_default=text("'default'"))
    labels: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What tools note on it, such as the source that it is kept in."""
    tags: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    winrm: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    ssh: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    facts: Mapped[dict[str, Any] | None]
    """What a `facts` step found out last; see contracts/targets/facts.py."""
    facts_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_by: Mapped[str]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("os", TargetOs),
        Index(
            "uq_targets_name",
            "project_id",
            "name",
            unique=True,
            postgresql_where=text("archived_at IS NULL"),
        ),
    )
