"""Server-sent events as bytes, and the cursors that stand in their ids."""

from dataclasses import dataclass
from typing import Any

import orjson

Cursor = tuple[int, int]
"""(transaction id, row id): the order in which streams show rows."""

START: Cursor = (0, 0)
COMMENT = b": still here\n\n"
_MAX_XID = 2**64
_MAX_ID = 2**63


@dataclass(frozen=True, slots=True)
class Frame:
    """One row on its way to browsers. `ends` marks the row that says a run has ended."""

    cursor: Cursor
    event: str
    data: bytes
    ends: bool = False


def encode(event: str, data: bytes, *, id: str | None = None) -> bytes:
    """One event (HTML standard, server-sent events). `data` is JSON, so it holds no line break."""
    head = f"event: {event}\n".encode()
    return head + b"data: " + data + (f"\nid: {id}\n\n".encode() if id else b"\n\n")


def event_id(epoch: int, cursor: Cursor) -> str:
    return f"{epoch}.{cursor[0]}.{cursor[1]}"


def json(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document)


def parse_event_id(text: str | None, epoch: int) -> Cursor | None:
    """Where to go on after this event; None when it belongs to another epoch or is none of ours."""
    if text is None or text == "":
        return START
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 20 for part in parts):  # noqa: PLR2004
        return None
    its_epoch, xid, row_id = map(int, parts)
    if its_epoch != epoch or xid >= _MAX_XID or row_id >= _MAX_ID:
        return None
    return xid, row_id
