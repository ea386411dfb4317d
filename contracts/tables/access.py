"""Projects, users, and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.access.roles import Role
from contracts.tables.base import Base, Id, Now, one_of


class ProjectRow(Base):
    """Written by the migration (the default project) and the gateway."""

    __tablename__ = "projects"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Now]


class UserRow(Base):
    """Written by the gateway. `token_version` counts up to make every issued token worthless at once."""

    __tablename__ = "users"

    id: Mapped[Id]
    username: Mapped[str]
    name: Mapped[str | None]
    """What people call them."""
    time_zone: Mapped[str | None]
    """An IANA name; the viewer's own when null."""
    password_hash: Mapped[str]
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    token_version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[Now]
    updated_at: Mapped[Now]

    __table_args__ = (one_of("role", Role),)


Index("uq_users_username", func.lower(UserRow.username), unique=True)


class SessionRow(Base):
    """One refresh token; used once, then replaced within its family. Written by the gateway."""

    __tablename__ = "sessions"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[Now]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
