"""New identifiers."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A time-ordered identifier (RFC 9562, version 7), so that new rows lie next to each other."""
    return _uuid7()
