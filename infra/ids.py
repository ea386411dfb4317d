"""New identifiers."""

from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A time-ordered identifier (RFC 9562, version 7), so that new rows lie next to each other."""
    return _uuid7()


def first_id_at(moment: datetime) -> UUID:
    """The smallest identifier that can have been made at `moment`; to the millisecond."""
    milliseconds = max(0, int(moment.timestamp() * 1_000))
    return UUID(int=milliseconds << 80)
