"""A forward proxy that notes what it was asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.listening import listening


@dataclass
class ForwardProxy:
    """As much of a forward proxy as WinRM needs: absolute URLs over http, CONNECT for https."""

    requests: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return  # somebody looked whether it is there
        method, url, _ = head.split(b" ", 2)
        self.requests.append(f"{method.decode()} {url.decode()}")
        place = url if method == b"CONNECT" else url.split(b"/")[2]
        host, port = place.decode().rsplit(":", 1)
        there, back = await asyncio.open_connection(host, int(port))
        try:
            if method == b"CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                back.write(relative(head))
            forth = asyncio.create_task(pump(reader, back))
            await pump(there, writer)
            forth.cancel()
            await asyncio.gather(forth, return_exceptions=True)
        finally:
            back.transport.abort()


def relative(request: bytes) -> bytes:
    """A request with the path alone where it named the whole URL."""
    if not request.startswith(b"POST http://"):
        return request
    url = request.split(b" ", 2)[1]
    return request.replace(url, b"/" + url.split(b"/", 3)[3], 1)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(relative(data))
        await writer.drain()


@asynccontextmanager
async def a_proxy() -> AsyncIterator[tuple[ForwardProxy, str]]:
    proxy = ForwardProxy()
    async with listening(proxy.serve) as port:
        yield proxy, f"http://127.0.0.1:{port}"
