"""A small HTTP server whose every answer, and silence, a test decides."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], Awaitable[Reply | None]]
"""None closes the connection without a word."""


@dataclass
class HttpServer:
    """What it was asked, and what it answers."""

    answering: Answering
    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self.serving.add(task)
            task.add_done_callback(self.serving.discard)
        try:
            with contextlib.suppress(OSError, h11.RemoteProtocolError):
                await self._serve(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = h11.Connection(h11.SERVER)
        request: h11.Request | None = None
        body = b""
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
        if request is None:
            return
        headers = {name.decode(): value.decode() for name, value in request.headers}
        asked = Asked(request.method.decode(), request.target.decode(), headers, body)
        self.asked.append(asked)
        reply = await self.answering(asked)
        if reply is None:
            return
        sent = {"content-length": str(len(reply.body)), "connection": "close"} | dict(reply.headers)
        answer = h11.Response(status_code=reply.status, headers=list(sent.items()), reason=b"Said")
        writer.write(protocol.send(answer) or b"")
        if request.method != b"HEAD":
            writer.write(protocol.send(h11.Data(data=reply.body)) or b"")
        writer.write(protocol.send(h11.EndOfMessage()) or b"")
        await writer.drain()


@asynccontextmanager
async def http_server(
    answer: Reply | Answering | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[HttpServer]:
    """A server that answers always the same, or what a function says."""

    async def always(_: Asked) -> Reply | None:
        return answer if isinstance(answer, Reply) else Reply()

    answering = always if answer is None or isinstance(answer, Reply) else answer
    found = HttpServer(answering, host=host, tls=tls is not None)
    server = await asyncio.start_server(found.serve, host, port, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in list(found.serving):
            task.cancel()
        await asyncio.gather(*found.serving, return_exceptions=True)
        await server.wait_closed()
