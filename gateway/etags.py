"""ETag and If-Match: nobody overwrites what somebody else changed in between."""

from datetime import datetime
from typing import Annotated

from fastapi import Header

from contracts.errors import StaleEdit

IfMatch = Annotated[str | None, Header(max_length=200)]


def etag(version: int, updated_at: datetime) -> str:
    """The tag of a row as it is now (RFC 9110, section 8.8.3)."""
    return f'"{version}-{int(updated_at.timestamp() * 1_000_000):x}"'


def require_match(if_match: str | None, current: str) -> None:
    """Raises `StaleEdit` when the caller read another state than the current one."""
    if if_match is None:
        return
    tags = [tag.strip() for tag in if_match.split(",")]
    if "*" not in tags and current not in tags:
        raise StaleEdit("Somebody else changed it since you read it; read it again and repeat your change.")
