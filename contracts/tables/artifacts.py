"""Stored files: what people upload for steps and what steps bring back. Cold, apart from the hot tables."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, one_of


class ArtifactState(StrEnum):
    """`writing`: not whole yet, nobody sees it; `deleted`: nobody sees it any more, its bytes are going."""

    WRITING = "writing"
    READY = "ready"
    DELETED = "deleted"


class ArtifactOrigin(StrEnum):
    UPLOAD = "upload"
    STEP = "step"


class ArtifactRow(Base):
    """One stored file. Written by the gateway for uploads, by executors for steps, ended by the caretaker."""

    __tablename__ = "artifacts"

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    content_type: Mapped[str]
    state: Mapped[str]
    origin: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Bytes stored so far, all of them once it is ready."""
    sha256: Mapped[str | None]
    """Of the whole content, in hex; known once it is ready."""
    run_id: Mapped[UUID | None]
    """The run whose step brought it back."""
    task_id: Mapped[UUID | None]
    created_by: Mapped[str]
    created_at: Mapped[Now]
    touched_at: Mapped[Now]
    """When its last piece came: one that is never finished is given up by this."""
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", ArtifactState),
        one_of("origin", ArtifactOrigin),
        CheckConstraint("(state = 'ready') <= (sha256 IS NOT NULL)", name="ready_with_hash"),
        CheckConstraint("(origin = 'step') = (task_id IS NOT NULL)", name="step_with_task"),
        Index("ix_artifacts_page", "project_id", "id", postgresql_where=text("state = 'ready'")),
        Index("ix_artifacts_run", "run_id", "id", postgresql_where=text("run_id IS NOT NULL")),
        Index("ix_artifacts_expires", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        Index("ix_artifacts_going", "touched_at", postgresql_where=text("state <> 'ready'")),
    )


class ArtifactPieceRow(Base):
    """1 MiB of an artifact, the last one less. Written by gateway and executors, as the artifact is."""

    __tablename__ = "artifact_pieces"

    artifact_id: Mapped[UUID] = mapped_column(
        ForeignKey("artifacts.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ArtifactPullRow(Base):
    """An address good for one download of one artifact. Written by executors, used up by the gateway."""

    __tablename__ = "artifact_pulls"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    artifact_id: Mapped[UUID] = mapped_column(ForeignKey("artifacts.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[UUID]
    created_at: Mapped[Now]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
