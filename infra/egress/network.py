"""Connections to checked addresses only, as the network layer of the HTTP library."""

import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore2

from infra.egress.faults import EgressFault
from infra.egress.rules import AddressRule
from infra.egress.tls import Trust, fingerprint_of

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Addresses of a name, in the order to try; raises OSError."""


class Sending:
    """What is known of one request on its way."""

    def __init__(self, before: Callable[[], None]) -> None:
        self.began = False
        """Bytes of the request may have gone out: the other side may act."""
        self._before = before

    def begin(self) -> None:
        if not self.began:
            self._before()
            self.began = True


async def resolved(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """The addresses of a name, asked for once. Raises `EgressFault`."""
    try:
        return await resolve(host, port)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        raise EgressFault("name_unresolved", said or str(error), host=host, port=port) from error


def acceptable(
    addresses: Sequence[str], rule: AddressRule, host: str, port: int, *, only_allowed: bool = False
) -> Sequence[str]:
    """Those that may be talked to. Raises `EgressFault` when there is none, saying why of each."""
    refusals = {address: rule.refusal(address, only_allowed=only_allowed) for address in addresses}
    found = [address for address, refusal in refusals.items() if refusal is None]
    if not found:
        detail = "; ".join(refusal for refusal in refusals.values() if refusal) or "it has no address"
        raise EgressFault("egress_refused", detail, host=host, port=port)
    return found


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Resolves once, refuses by address, connects to what it checked, and checks a pinned certificate."""

    def __init__(
        self, resolve: Resolve, rule: AddressRule, trust: Trust, sending: Sending, *, only_allowed: bool
    ) -> None:
        self._resolve = resolve
        self._rule = rule
        self._trust = trust
        self._sending = sending
        self._only_allowed = only_allowed
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: Exception | None = None
        for address in await self._check(host, port):
            try:
                stream = await self._network.connect_tcp(address, port, timeout, None, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
                continue
            return _Stream(stream, self._trust, self._sending, host, port)
        reason = "no answer in time" if isinstance(failed, httpcore2.ConnectTimeout) else str(failed)
        raise EgressFault("unreachable", reason, host=host, port=port)

    async def _check(self, host: str, port: int) -> Sequence[str]:
        addresses = await resolved(self._resolve, host, port)
        return acceptable(addresses, self._rule, host, port, only_allowed=self._only_allowed)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _Stream(httpcore2.AsyncNetworkStream):
    """One connection; notes when the request begins to go out."""

    def __init__(
        self, inner: httpcore2.AsyncNetworkStream, trust: Trust, sending: Sending, host: str, port: int
    ) -> None:
        self._inner, self._trust, self._sending = inner, trust, sending
        self._host, self._port = host, port

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._sending.begin()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout, OSError) as error:
            raise self._tls_fault(error) from error
        secured = _Stream(inner, self._trust, self._sending, self._host, self._port)
        await secured.require_pinned()
        return secured

    async def require_pinned(self) -> None:
        tls = self._inner.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) or b""
        if not self._trust.accepts(certificate):
            await self.aclose()
            raise self._fault(
                "tls_untrusted", f"its SHA-256 is {fingerprint_of(certificate)}, not the pinned one"
            )

    def _tls_fault(self, error: Exception) -> EgressFault:
        found: BaseException | None = error
        while found is not None:
            if isinstance(found, ssl.SSLCertVerificationError):
                return self._fault("tls_untrusted", found.verify_message)
            found = found.__cause__ or found.__context__
        return self._fault("tls_protocol_mismatch", str(error))

    def _fault(self, code: str, detail: str) -> EgressFault:
        return EgressFault(code, detail, host=self._host, port=self._port)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
