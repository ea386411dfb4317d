"""Connection tests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, ProjectId, one_of
from contracts.targets.testing import ConnectionTestStatus


class ConnectionTestRow(Base):
    """One test of one target. Requested by the gateway; begun and ended by executors.

    It tests what is written here, not what the target says by the time it begins.
    """

    __tablename__ = "connection_tests"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    target_id: Mapped[UUID] = mapped_column(ForeignKey("targets.id", ondelete="CASCADE"))
    target_version: Mapped[int]
    batch_id: Mapped[UUID | None]
    """Shared by the tests of one request about several targets."""
    pool: Mapped[str]
    transport: Mapped[str]
    reach: Mapped[dict[str, Any]]
    """`{name, os, hostname, winrm, ssh}` to be tested."""
    credential_id: Mapped[UUID | None] = mapped_column(ForeignKey("credentials.id"))
    unsaved: Mapped[bool] = mapped_column(server_default=text("false"))
    """It tests a change that is not stored with the target."""
    even_if_held: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str]
    worker_id: Mapped[UUID | None]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    """How often an executor began it: a lost one's test is begun again."""
    stages: Mapped[list[Any] | None]
    presented: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    """`{code, message, hint}` of the stage that failed."""
    parked_by: Mapped[UUID | None]
    requested_by: Mapped[str]
    correlation_id: Mapped[UUID]
    requested_at: Mapped[Now]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("status", ConnectionTestStatus),
        CheckConstraint("transport IN ('winrm', 'ssh')", name="transport_known"),
        CheckConstraint(
            "(ended_at IS NOT NULL) = (status IN ('succeeded', 'failed'))", name="ended_when_terminal"
        ),
        Index("ix_connection_tests_target", "target_id", "id"),
        Index("ix_connection_tests_batch", "batch_id", "id", postgresql_where=text("batch_id IS NOT NULL")),
        Index(
            "ix_connection_tests_requested",
            "pool",
            "id",
            postgresql_where=text("status = 'requested' AND parked_by IS NULL"),
        ),
        Index("ix_connection_tests_held", "worker_id", postgresql_where=text("status = 'running'")),
    )
