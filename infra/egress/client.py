"""One request and its answer: where it may go, how far it may be sent on, and how much it may bring."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpcore2
import httpx2

from infra.blocking import BlockingPool
from infra.egress.faults import EgressFault
from infra.egress.network import CheckedNetwork, Resolve, Sending, acceptable, resolved
from infra.egress.rules import AddressRule
from infra.egress.tls import Trust
from infra.egress.transport import PoolTransport

RESOLVING_THREADS = 8
REDIRECTS = 5
USER_AGENT = "OpsConductor"
_SEE_OTHER = 303
_REDIRECTED = {301, 302, _SEE_OTHER, 307, 308}
_HARMLESS = {"accept", "accept-encoding", "accept-language", "user-agent"}
"""Headers that go along to another origin: any other may be a credential."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and bytes."""

    connect: float = 10.0
    total: float = 60.0
    response: int = 1024 * 1024
    """Of the body, as it is after decompression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    trust: Trust = field(default_factory=Trust)
    limits: Limits = field(default_factory=Limits)
    follow_redirects: bool = False
    holds_secret: bool = False
    """Over plain http such a request goes only to addresses that are allowed by setting."""
    before_sending: Callable[[], None] = lambda: None
    """Called directly before the first byte goes out; what it raises ends the request unsent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The last answer, redirects behind it."""

    url: str
    status: int
    reason: str
    http_version: str
    headers: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """The first header of this name, whatever the case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Egress:
    """Sends requests to where `rule` lets them go. Holds threads for name resolution; close it at the end."""

    def __init__(self, rule: AddressRule, *, resolve: Resolve | None = None) -> None:
        self._rule = rule
        self._threads = BlockingPool("egress-resolve", RESOLVING_THREADS)
        self._resolve = resolve or self._look_up

    def close(self) -> None:
        self._threads.close()

    async def addresses(self, host: str, port: int, *, checked: bool = True) -> Sequence[str]:
        """The addresses of a name, only those that may be talked to if `checked`. Raises `EgressFault`."""
        found = await resolved(self._resolve, host, port)
        return acceptable(found, self._rule, host, port) if checked else found

    async def ask(self, ask: Ask) -> Answer:
        """The answer, whatever its status. Raises `EgressFault`."""
        sending = Sending(ask.before_sending)
        url = checked_url(ask.url)
        try:
            async with asyncio.timeout(ask.limits.total):
                return await self._follow(ask, url, sending)
        except TimeoutError:
            detail = f"no answer within {ask.limits.total:g} s"
            code = "connection_lost" if sending.began else "unreachable"
            raise _fault(code, detail, url, sent=sending.began) from None

    async def _follow(self, ask: Ask, url: httpx2.URL, sending: Sending) -> Answer:
        for hop in range(REDIRECTS + 1):
            answer = await self._once(ask, url, sending)
            place = answer.header("location")
            if not ask.follow_redirects or answer.status not in _REDIRECTED or place is None:
                return answer
            if hop == REDIRECTS:
                raise _fault("redirect_refused", f"more than {REDIRECTS} redirects", url, sent=True)
            ask, url = redirected(ask, url, place, answer.status)
        raise AssertionError("unreachable: the last hop returns or raises")

    async def _once(self, ask: Ask, url: httpx2.URL, sending: Sending) -> Answer:
        only_allowed = ask.holds_secret and url.scheme == "http"
        network = CheckedNetwork(self._resolve, self._rule, ask.trust, sending, only_allowed=only_allowed)
        try:
            context = ask.trust.context()
        except OSError as error:
            raise _fault("tls_settings", str(error), url) from error
        pool = httpcore2.AsyncConnectionPool(ssl_context=context, network_backend=network)
        transport = PoolTransport(pool)
        try:
            async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
                return await _exchange(client, ask, url)
        except EgressFault as fault:
            fault.sent = fault.sent or sending.began
            raise
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            code = "connection_lost" if sending.began else "unreachable"
            raise _fault(code, str(error) or type(error).__name__, url, sent=sending.began) from error

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        found = await self._threads.run(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(info[4][0]) for info in found))


def checked_url(text: str) -> httpx2.URL:
    """Only `http` and `https`, with a host and without a password in it. Raises `EgressFault`."""
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise EgressFault("url_invalid", str(error), host="the URL", port=0) from error
    if url.scheme not in _PORTS:
        raise EgressFault("url_invalid", "it must begin with http:// or https://", host=url.host, port=0)
    if not url.host or url.userinfo:
        detail = "user and password do not belong into it" if url.userinfo else "it names no host"
        raise EgressFault("url_invalid", detail, host=url.host or "the URL", port=0)
    if "%" in url.host or not (url.port is None or 0 < url.port < 2**16):
        detail = f"{url.netloc.decode('ascii', 'replace')} is no host, or no port"
        raise EgressFault("url_invalid", detail, host=url.host, port=0)
    return url.copy_with(fragment=None)


def redirected(ask: Ask, url: httpx2.URL, place: str, status: int) -> tuple[Ask, httpx2.URL]:
    """The request that a redirect asks for. To another origin goes nothing that could be a credential.

    Raises `EgressFault` for a step down to plain http, and where a body would go to another origin.
    """
    try:
        goal = checked_url(str(url.join(place)))
    except (EgressFault, httpx2.InvalidURL) as error:
        raise _fault(
            "redirect_refused", f"its Location cannot be followed: {error}", url, sent=True
        ) from error
    if url.scheme == "https" and goal.scheme == "http":
        raise _fault("redirect_refused", f"it leads from https down to {goal.host} over http", url, sent=True)
    drops_body = status == _SEE_OTHER or (status in {301, 302} and ask.method == "POST")
    if drops_body and ask.method != "HEAD":
        kept = {name: value for name, value in ask.headers.items() if name.lower() != "content-type"}
        ask = replace(ask, method="GET", body=b"", headers=kept)
    if _origin(url) != _origin(goal):
        if ask.body:
            detail = f"it would send the body on to {goal.host}"
            raise _fault("redirect_refused", detail, url, sent=True)
        kept = {name: value for name, value in ask.headers.items() if name.lower() in _HARMLESS}
        trust = replace(ask.trust, client_certificate=None, fingerprint=None)
        ask = replace(ask, headers=kept, trust=trust, holds_secret=False)
    return ask, goal


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host.lower(), url.port or _PORTS[url.scheme]


async def _exchange(client: httpx2.AsyncClient, ask: Ask, url: httpx2.URL) -> Answer:
    # `identity` keeps a small answer from growing in our memory; whoever compresses is read all the same.
    headers = httpx2.Headers({"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"})
    headers.update({name: value.encode() for name, value in ask.headers.items()})  # type: ignore[arg-type]
    seconds = httpx2.Timeout(ask.limits.total, connect=ask.limits.connect)
    request = client.build_request(ask.method, url, headers=headers, content=ask.body, timeout=seconds)
    if not ask.body and ask.method in {"GET", "HEAD", "OPTIONS"}:
        request.headers.pop("content-length", None)
    response = await client.send(request, stream=True)
    try:
        body = await _read(response, ask.limits.response, url)
    except httpx2.DecodingError as error:
        raise _fault("response_unreadable", str(error), url, sent=True) from error
    finally:
        await response.aclose()
    return Answer(
        url=str(url),
        status=response.status_code,
        reason=response.reason_phrase,
        http_version=response.http_version,
        headers=response.headers.multi_items(),
        body=body,
    )


async def _read(response: httpx2.Response, most: int, url: httpx2.URL) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > most:
            detail = f"more than {most} bytes (status {response.status_code})"
            raise _fault("response_too_large", detail, url, sent=True)
    return bytes(body)


def _fault(code: str, detail: str, url: httpx2.URL, *, sent: bool = False) -> EgressFault:
    return EgressFault(code, detail, host=url.host, port=url.port or _PORTS[url.scheme], sent=sent)
