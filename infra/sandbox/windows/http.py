"""As much HTTP/1.1 as WinRM needs: requests with a Content-Length, on connections that stay open."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n")
MAX_BODY_BYTES = 2 * 1024 * 1024


class BadRequest(Exception):
    """What arrived is not HTTP as WinRM clients speak it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when the client closed it between two requests."""
    line = await reader.readline()
    if not line:
        return None
    match = REQUEST_LINE.match(line)
    if match is None:
        raise BadRequest("not an HTTP request line")
    headers = await _read_headers(reader)
    if "transfer-encoding" in headers:
        raise BadRequest("chunked bodies are not accepted")  # MS-WSMV 3.1.4.1.31.8
    length = int(headers.get("content-length", "0") or "0")
    if not 0 <= length <= MAX_BODY_BYTES:
        raise BadRequest("body too large")
    body = await reader.readexactly(length) if length else b""
    return Request(match[1].decode(), match[2].decode("latin-1"), headers, body)


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b"\n", b""):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BadRequest("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    return headers


def render(status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A whole response. The server's name says that it is a simulation."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Server: Simulated-HTTPAPI/2.0"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
