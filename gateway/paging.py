"""Keyset pages: equally fast at any depth, and stable while rows come and go."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from contracts.errors import FieldProblem, Invalid

Item = TypeVar("Item")
Row = TypeVar("Row")

MAX_LIMIT = 200
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on one page.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")]


class Page(BaseModel, Generic[Item]):
    """One page. `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None


def encode_cursor(*parts: str | int | UUID) -> str:
    """An opaque cursor for the row with these keys. Parts hold no line breaks."""
    return base64.urlsafe_b64encode("\n".join(map(str, parts)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, count: int) -> list[str]:
    """The parts of a cursor; raises `Invalid` for anything this service did not hand out."""
    try:
        parts = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        raise foreign_cursor() from None
    if encode_cursor(*(split := parts.split("\n"))) != cursor or len(split) != count or "\0" in parts:
        raise foreign_cursor()
    return split


def uuid_cursor(cursor: str | None) -> UUID | None:
    """The id in a cursor of one part."""
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, 1)[0])
    except ValueError:
        raise foreign_cursor() from None


def int_cursor(cursor: str | None, count: int) -> tuple[int, ...] | None:
    """The numbers in a cursor of `count` parts, each within 63 bits."""
    if cursor is None:
        return None
    try:
        numbers = tuple(int(part) for part in decode_cursor(cursor, count))
    except ValueError:
        raise foreign_cursor() from None
    if any(not 0 <= number < 2**63 for number in numbers):
        raise foreign_cursor()
    return numbers


def page(
    rows: Sequence[Row], limit: int, view: Callable[[Row], Item], cursor: Callable[[Row], str]
) -> Page[Item]:
    """A page of `limit` from rows that were asked for with one more than that."""
    more = len(rows) > limit
    shown = rows[:limit]
    return Page(items=[view(row) for row in shown], next_cursor=cursor(shown[-1]) if more else None)


def foreign_cursor() -> Invalid:
    """What to raise for a cursor that another list, or nobody, has handed out."""
    return Invalid(
        "The cursor is not one of this list.",
        problems=[FieldProblem("cursor", "take it from next_cursor of the page before")],
    )
