"""The way through a target's proxy, for what is looked at before the first request of pywinrm."""

import asyncio
from urllib.parse import urlsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def address_of(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy's URL."""
    parts = urlsplit(proxy)
    return parts.hostname or "", parts.port or 80


async def tunnel(proxy: str, place: str) -> Streams:
    """A connection to `place` (host and port) through the proxy (RFC 9110 9.3.6). Raises OSError."""
    reader, writer = await asyncio.open_connection(*address_of(proxy))
    try:
        writer.write(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode("ascii", "replace"))
        _must_be_open(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise OSError("its answer is not HTTP") from error
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


def _must_be_open(answer: bytes) -> None:
    status = answer.split(b"\r\n", 1)[0].decode("ascii", "replace")
    if status.split(" ")[1:2] != ["200"]:
        raise OSError(f"it answered {status[:80]!r}")
