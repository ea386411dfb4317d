"""Lists in the order a person asks for: by age or by name, both by keyset."""

from typing import Annotated, Any, Literal, Protocol, TypeVar
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, Select

from gateway.paging import decode_cursor, encode_cursor, foreign_cursor, uuid_cursor

SortWord = Literal["newest", "name", "-name"]
Sort = Annotated[SortWord, Query(description="`newest` first, by `name`, or by name backwards (`-name`)")]


Asked = TypeVar("Asked", bound=Select[Any])


class Listed(Protocol):
    """Rows with an id that tells their age, and a name that no other row of the list has."""

    id: Any
    name: Any


class Order:
    """How a list is sorted, and after which row its page begins."""

    def __init__(self, sort: SortWord, cursor: str | None) -> None:
        self._sort = sort
        self._after: str | UUID | None = (
            uuid_cursor(cursor) if sort == "newest" else None if cursor is None else self._name(cursor)
        )

    def of(self, query: Asked, listed: Any) -> Asked:
        """`query` over `listed`, sorted, from the place on."""
        column: ColumnElement[Any] = listed.id if self._sort == "newest" else listed.name
        forwards = self._sort == "name"
        if self._after is not None:
            query = query.where(column > self._after if forwards else column < self._after)
        return query.order_by(column.asc() if forwards else column.desc())

    def cursor(self, row: Listed) -> str:
        """What the next page begins after."""
        return encode_cursor(row.id) if self._sort == "newest" else encode_cursor(self._sort, row.name)

    def _name(self, cursor: str) -> str:
        sort, name = decode_cursor(cursor, 2)
        if sort != self._sort:
            raise foreign_cursor()
        return name


NEWEST = Order("newest", None)
