"""What people keep of their own way of looking at lists."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.tables.base import Base, Id, Now, ProjectId


class SavedFilterRow(Base):
    """A filter of one page under a name; `shared` shows it to everybody. Written by the gateway."""

    __tablename__ = "saved_filters"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    page: Mapped[str]
    name: Mapped[str]
    query: Mapped[dict[str, Any]]
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Now]

    __table_args__ = (Index("uq_saved_filters_name", "owner_id", "page", "name", unique=True),)


class DefaultFilterRow(Base):
    """The filter that a page opens with for somebody. Written by the gateway.

    It may be somebody else's; it counts while it is shared.
    """

    __tablename__ = "default_filters"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    page: Mapped[str] = mapped_column(primary_key=True)
    filter_id: Mapped[UUID] = mapped_column(ForeignKey("saved_filters.id", ondelete="CASCADE"), index=True)
