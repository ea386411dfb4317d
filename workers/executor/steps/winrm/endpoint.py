"""Where a host's WinRM listens, and the check that something fitting listens there.

pywinrm has one number for connecting and reading, and reports TLS against a plain port as silence. So before
the first request we try the port ourselves, with short limits and errors that say what is wrong.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.targets.specs import WinrmSettings
from infra.blocking import BlockingPool
from workers.executor.steps.base import StepFault
from workers.executor.steps.winrm.proxies import address_of, tunnel
from workers.executor.steps.winrm.tls import client_context, fingerprint_of, untrusted_because


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    resolve: float = 5.0
    connect: float = 3.0
    handshake: float = 5.0
    operation: int = 15
    """One Receive without output: the host answers that it timed out, and is asked again."""
    reconnect: float = 60.0
    """How long a dropped connection is tried again while a command runs."""
    room: float = 45.0
    """How long a host without room for another shell is tried again."""
    stop: float = 5.0
    """For Ctrl+C to take effect before the command is terminated."""
    stop_in_all: float = 20.0
    """For everything that stopping and verifying takes."""
    checked: float = 30.0
    """How long a port that was found in order is not looked at again."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    settings: WinrmSettings

    @property
    def port(self) -> int:
        return self.settings.effective_port

    @property
    def place(self) -> str:
        """Host and port as URLs have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.settings.scheme}://{self.place}{self.settings.path}"

    def fault(self, code: str, detail: str = "", *, user: str = "", acted: bool = False) -> StepFault:
        return StepFault(code, acted=acted, host=self.host, port=self.port, user=user, detail=detail)


async def check(endpoint: Endpoint, limits: Limits, pool: BlockingPool) -> None:
    """Raises StepFault: name_unresolved, unreachable, tls_protocol_mismatch or tls_untrusted."""
    if endpoint.settings.proxy is not None:
        return  # what the target's name means and which port is open is the proxy's to say
    addresses = await _resolve(endpoint, limits, pool)
    address = await _check_port(endpoint, limits, addresses)
    if endpoint.settings.scheme == "https":
        await check_tls(endpoint, limits, address)


async def speaks_tls(endpoint: Endpoint, limits: Limits) -> bool:
    """True when the port finishes a TLS handshake, whatever its certificate."""
    return await presented_certificate(endpoint, limits, endpoint.host) is not None


async def _resolve(endpoint: Endpoint, limits: Limits, pool: BlockingPool) -> list[str]:
    """Addresses in the order to try. In our own pool: asyncio's has six threads on a small machine."""
    try:
        async with asyncio.timeout(limits.resolve):
            found = await pool.run(socket.getaddrinfo, endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        detail = f"no answer in {limits.resolve:g} s"
        raise endpoint.fault("name_unresolved", detail) from error
    except OSError as error:
        raise endpoint.fault("name_unresolved", error.strerror or str(error)) from error
    return list(dict.fromkeys(str(info[4][0]) for info in found))


async def _check_port(endpoint: Endpoint, limits: Limits, addresses: Sequence[str]) -> str:
    """The first address that accepts a connection."""
    reasons: list[str] = []
    for address in addresses:
        try:
            async with asyncio.timeout(limits.connect):
                _, writer = await asyncio.open_connection(address, endpoint.port)
        except TimeoutError:
            reasons.append(f"no answer in {limits.connect:g} s")
        except OSError as error:
            reasons.append(os.strerror(error.errno) if error.errno else str(error))
        else:
            await _close(writer)
            return address
    raise endpoint.fault("unreachable", "; ".join(dict.fromkeys(reasons)))


async def check_proxy(endpoint: Endpoint, limits: Limits, proxy: str) -> None:
    """Raises StepFault `proxy_answered` when the proxy is not there, or does not get through to the target.

    Whether it gets through to a target with the scheme http is not known before the first request.
    """
    seconds = limits.connect + limits.handshake
    try:
        async with asyncio.timeout(seconds):
            if endpoint.settings.scheme == "https":
                _, writer = await tunnel(proxy, endpoint.place)
            else:
                _, writer = await asyncio.open_connection(*address_of(proxy))
    except TimeoutError:
        raise endpoint.fault("proxy_answered", f"{proxy}: no answer in {seconds:g} s") from None
    except OSError as error:
        raise endpoint.fault("proxy_answered", f"{proxy}: {error}") from error
    await _close(writer)


async def check_tls(endpoint: Endpoint, limits: Limits, address: str) -> None:
    """Raises StepFault: tls_protocol_mismatch or tls_untrusted."""
    settings = endpoint.settings
    try:
        context = client_context(settings)
    except ssl.SSLError as error:
        raise endpoint.fault(
            "tls_untrusted", "the target's ca_bundle holds no readable certificate"
        ) from error
    try:
        certificate = await _handshake(endpoint, limits, address, context)
    except ssl.SSLCertVerificationError as error:
        presented = await presented_certificate(endpoint, limits, address)
        shown = f" (SHA-256 {fingerprint_of(presented)})" if presented else ""
        raise endpoint.fault("tls_untrusted", untrusted_because(error) + shown) from error
    except (OSError, TimeoutError) as error:
        raise endpoint.fault("tls_protocol_mismatch", str(error)) from error
    if settings.fingerprint is not None and fingerprint_of(certificate) != settings.fingerprint:
        detail = f"it is not the pinned one, its SHA-256 is {fingerprint_of(certificate)}"
        raise endpoint.fault("tls_untrusted", detail)


async def _handshake(endpoint: Endpoint, limits: Limits, address: str, context: ssl.SSLContext) -> bytes:
    """The server's certificate in DER form. Raises OSError or TimeoutError."""
    async with asyncio.timeout(limits.connect + limits.handshake):
        if endpoint.settings.proxy is None:
            _, writer = await asyncio.open_connection(address, endpoint.port)
        else:
            _, writer = await tunnel(endpoint.settings.proxy, endpoint.place)
        try:
            await writer.start_tls(
                context, server_hostname=endpoint.host, ssl_handshake_timeout=limits.handshake
            )
        except BaseException:
            writer.transport.abort()
            raise
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) or b""
    await _close(writer)
    return certificate


async def presented_certificate(endpoint: Endpoint, limits: Limits, address: str) -> bytes | None:
    """What the port presents, trusted or not; None when it does not finish a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return await _handshake(endpoint, limits, address, context)
    except (OSError, TimeoutError):
        return None


async def _close(writer: asyncio.StreamWriter) -> None:
    """At once: nothing was said that would have to be said goodbye to."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
