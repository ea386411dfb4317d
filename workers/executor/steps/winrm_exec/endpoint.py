"""Where a host's WinRM listens, and the check that something fitting listens there.

pywinrm has one number for connecting and reading, and reports TLS against a plain port as silence. So before
the first request we try the port ourselves, with short limits and errors that say what is wrong.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.targets.specs import WinrmSettings
from infra.blocking import BlockingPool
from workers.executor.steps.base import StepFault
from workers.executor.steps.winrm_exec.tls import client_context, fingerprint_of, untrusted_because


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
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.settings.scheme}://{host}:{self.port}{self.settings.path}"

    def fault(self, code: str, detail: str = "", *, user: str = "", acted: bool = False) -> StepFault:
        return StepFault(code, acted=acted, host=self.host, port=self.port, user=user, detail=detail)


async def check(endpoint: Endpoint, limits: Limits, pool: BlockingPool) -> None:
    """Raises StepFault: name_unresolved, unreachable, tls_protocol_mismatch or tls_untrusted."""
    addresses = await _resolve(endpoint, limits, pool)
    address = await _check_port(endpoint, limits, addresses)
    if endpoint.settings.scheme == "https":
        await _check_tls(endpoint, limits, address)


async def speaks_tls(endpoint: Endpoint, limits: Limits) -> bool:
    """True when the port finishes a TLS handshake, whatever its certificate."""
    return await _certificate(endpoint, limits, endpoint.host) is not None


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
            reasons.append(error.strerror or str(error))
        else:
            await _close(writer)
            return address
    raise endpoint.fault("unreachable", "; ".join(dict.fromkeys(reasons)))


async def _check_tls(endpoint: Endpoint, limits: Limits, address: str) -> None:
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
        presented = await _certificate(endpoint, limits, address)
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
        _, writer = await asyncio.open_connection(
            address,
            endpoint.port,
            ssl=context,
            server_hostname=endpoint.host,
            ssl_handshake_timeout=limits.handshake,
        )
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) or b""
    await _close(writer)
    return certificate


async def _certificate(endpoint: Endpoint, limits: Limits, address: str) -> bytes | None:
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
