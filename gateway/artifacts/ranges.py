"""One range of a file (RFC 9110, section 14): which bytes a client asks for."""

import re

_ONE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole file, also where a header is not understood.

    A range that holds no byte of the file comes back empty (start = end).
    """
    found = _ONE.fullmatch(header.strip()) if header else None
    if found is None:
        return None
    if found[3] is not None:
        last = int(found[3])
        return (max(0, size - last), size) if last and size else (size, size)
    start = int(found[1])
    end = int(found[2]) + 1 if found[2] else size
    if end <= start:
        return None if found[2] and int(found[2]) < start else (size, size)
    return (start, min(end, size)) if start < size else (size, size)
