"""Who did what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base


class AuditRow(Base):
    """Written in the transaction of the change it tells of. Sealed afterwards in the order of `chain_no`."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False, cache=32), primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    principal: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    chain_no: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    seal: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_audit_unsealed", "id", postgresql_where=text("chain_no IS NULL")),
        Index("ix_audit_subject", "subject_id", "id"),
    )
