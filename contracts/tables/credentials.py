"""Credentials: what anyone may know of them, and their sealed versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.credentials.types import CredentialType
from contracts.tables.base import Base, Id, Now, ProjectId, one_of


class CredentialRow(Base):
    """Written by the gateway. `held_reason` is set when a target rejected it: tries lock accounts."""

    __tablename__ = "credentials"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    name: Mapped[str]
    type: Mapped[str]
    username: Mapped[str]
    current_version: Mapped[int]
    held_reason: Mapped[str | None]
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
