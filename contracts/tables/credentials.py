"""Credentials: what anyone may know of them, and their sealed versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.credentials.types import CredentialType
from contracts.tables.base import Base, Id, Now, ProjectId, one_of


class CredentialRow(Base):
    """Written by the gateway. Executors put it on hold when targets rejected it: tries lock accounts."""

    __tablename__ = "credentials"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    name: Mapped[str]
    type: Mapped[str]
    username: Mapped[str]
    current_version: Mapped[int]
    labels: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What tools note on it, such as the source that it is kept in."""
    held_reason: Mapped[str | None]
    held_at: Mapped[datetime | None]
    held_version: Mapped[int | None]
    """The version that was rejected; the hold does not concern another one."""
    created_by: Mapped[str]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("type", CredentialType),
        Index(
            "uq_credentials_name",
            "project_id",
            "name",
            unique=True,
            postgresql_where=text("archived_at IS NULL"),
        ),
    )


class CredentialVersionRow(Base):
    """One sealed set of secrets. Written by the gateway, which cannot open it; read by executors."""

    __tablename__ = "credential_versions"

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credentials.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str]
    created_at: Mapped[Now]


class CredentialHoldRow(Base):
    """One target that rejected one version of a credential. Put by executors, released by the gateway.

    While it stands, that version is not tried on that target again.
    """

    __tablename__ = "credential_holds"

    credential_id: Mapped[UUID] = mapped_column(
        ForeignKey("credentials.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    target_id: Mapped[UUID] = mapped_column(ForeignKey("targets.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str]
    held_at: Mapped[Now]
    run_id: Mapped[UUID | None]
    """Null when it was a connection test that was rejected."""


class FirstLoginRow(Base):
    """A version of a credential that is being tried on a target for the first time, or was accepted there.

    Written by executors. One tries at a time on a target; `alone`, on one target at a time altogether.
    """

    __tablename__ = "first_logins"

    credential_id: Mapped[UUID] = mapped_column(
        ForeignKey("credentials.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    target_id: Mapped[UUID] = mapped_column(ForeignKey("targets.id", ondelete="CASCADE"), primary_key=True)
    worker_id: Mapped[UUID | None]
    """Who is trying; nobody once it is proven."""
    alone: Mapped[bool]
    """Tried while no target had accepted this version."""
    proven_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_first_logins_alone",
            "credential_id",
            "version",
            unique=True,
            postgresql_where=text("alone"),
        ),
    )
