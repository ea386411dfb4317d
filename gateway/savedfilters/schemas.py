"""What clients send and see of saved filters."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.schemas import Strict

Room = Literal["runs", "jobs", "targets", "credentials", "dlq"]
FilterName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
FilterQuery = Annotated[dict[str, Any], Field(max_length=50)]


class SavedFilterCreate(Strict):
    """`query` is what the page puts into its address; the server keeps it as it is."""

    page: Room
    name: FilterName
    query: FilterQuery
    shared: bool = False


class SavedFilterChange(Strict):
    """Left out means unchanged."""

    name: FilterName | None = None
    query: FilterQuery | None = None
    shared: bool | None = None


class SavedFilterView(BaseModel):
    """`default`: the page opens with it for the caller. `changeable`: the caller may change or delete it."""

    id: UUID
    page: Room
    name: str
    query: dict[str, Any]
    shared: bool
    own: bool
    changeable: bool
    default: bool
    owner_name: str
    created_at: datetime


class SavedFilterList(BaseModel):
    items: list[SavedFilterView]
    next_cursor: None = None
