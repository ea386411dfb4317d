"""The outermost layer: request ids, the size of bodies, and every error as a problem document."""

import asyncio
import re
import time
from contextlib import suppress
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import Invalid, TooLarge
from contracts.limits import BODY_BYTES
from gateway.problems import problem_for
from infra.ids import uuid7

REQUESTS = Counter("ops_http_requests_total", "Requests answered.", ["method", "status"])
SECONDS = Histogram(
    "ops_http_request_seconds",
    "From the first byte in to the last byte out; streams are left out.",
    ["method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_NUL = re.compile(rb"%00|\x00")
STREAMED = frozenset({("POST", "/api/v1/artifacts")})
"""Requests that read their body piece by piece and mind its size themselves."""
DISCARD_BYTES = 64 * 1024 * 1024
DISCARD_SECONDS = 10.0


@cache
def _counter(method: str, status: int) -> Counter:
    return REQUESTS.labels(method, str(status))


@cache
def _histogram(method: str) -> Histogram:
    return SECONDS.labels(method)


class BodyTooLarge(TooLarge):
    def __init__(self) -> None:
        super().__init__(f"A request body may have at most {BODY_BYTES} bytes.")


class Edge:
    """ASGI middleware. What fails before the response began is answered; later the connection breaks off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = uuid7()
        watched = _Answer(send, scope)
        began = time.perf_counter()
        try:
            _refuse_unfit(scope)
            streamed = (scope["method"], scope["path"]) in STREAMED
            body = receive if streamed else _Body(receive, _declared_length(scope)).receive
            await self._app(scope, body, watched.send)
        except Exception as error:
            if watched.began:
                raise
            watched.close = isinstance(error, TooLarge)
            if watched.close:
                await _discard_rest(receive)
            await problem_for(error, request_id)(scope, receive, watched.send)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            _counter(method, watched.status).inc()
            if not watched.streams:
                _histogram(method).observe(time.perf_counter() - began)


def _refuse_unfit(scope: Scope) -> None:
    if _NUL.search(scope.get("raw_path") or b"") or _NUL.search(scope["query_string"]):
        raise Invalid("The address holds a NUL character.")


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _discard_rest(receive: Receive) -> None:
    """Read on for a while and keep nothing: a client that is still sending would never see the answer."""
    discarded = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while discarded < DISCARD_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                discarded += len(message.get("body", b""))


class _Body:
    """Hands the body on until it is over the limit, and then reads no further."""

    def __init__(self, receive: Receive, declared: int) -> None:
        if declared > BODY_BYTES:
            raise BodyTooLarge
        self._receive = receive
        self._size = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > BODY_BYTES:
                raise BodyTooLarge
        return message


class _Answer:
    """The response on its way out; adds the request id, and what the endpoint left in `answer_headers`."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send = send
        self._scope = scope
        self.began = False
        self.close = False
        self.streams = False
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.began = True
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            headers.append((b"x-request-id", str(self._scope["request_id"]).encode()))
            headers.append((b"x-content-type-options", b"nosniff"))
            if (more := self._scope.get("answer_headers")) is not None:
                headers.extend(more())
            if self.close:
                headers.append((b"connection", b"close"))
            self.streams = any(value.startswith(b"text/event-stream") for _, value in headers)
        await self._send(message)
