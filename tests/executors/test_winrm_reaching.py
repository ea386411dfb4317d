"""Hosts that cannot be reached, or not as the target says: `winrm.exec` names the reason."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from contracts.targets.specs import WinrmSettings
from infra.clock import now
from infra.sandbox.windows import HostCertificate, WindowsHost, self_signed
from tests.support.listening import Serve, listening
from tests.support.ports import free_port
from tests.support.windows import PASSWORD, USER, Bench, basic_over_https, in_a_hurry, script
from workers.executor.steps.base import StepFault


def answering(answer: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(answer)
            await writer.drain()

    return serve


def html(status: str, body: str = "<html>hello") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def fault_of(settings: WinrmSettings, *, hurried: bool = False, **context: Any) -> StepFault:
    """How starting fails; `hurried` where it fails for the time that it takes."""
    bench = Bench(settings, in_a_hurry()) if hurried else Bench(settings)
    try:
        with pytest.raises(StepFault) as caught:
            await bench.start(script("hostname"), **context)
    finally:
        await bench.close()
    assert not caught.value.acted
    return caught.value


def http_on(port: int) -> WinrmSettings:
    return WinrmSettings(scheme="http", port=port)


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    fault = await fault_of(http_on(free_port()))

    assert fault.cause.code == "unreachable"


async def test_a_name_that_does_not_resolve_is_named() -> None:
    fault = await fault_of(http_on(5985), hostname="no-such-host.invalid")

    assert fault.cause.code == "name_unresolved"
    assert fault.words["host"] == "no-such-host.invalid"


@pytest.mark.parametrize(
    "answer",
    [
        html("200 OK"),
        html("404 Not Found"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=["page", "missing", "ssh"],
)
async def test_a_port_that_is_not_winrm_is_recognised(answer: bytes) -> None:
    async with listening(answering(answer)) as port:
        fault = await fault_of(http_on(port))

    assert fault.cause.code == "not_winrm"


async def test_a_service_that_starts_up_may_be_tried_again() -> None:
    async with listening(answering(html("503 Service Unavailable"))) as port:
        fault = await fault_of(http_on(port), hurried=True)

    assert fault.cause.code == "service_unavailable"


async def test_a_host_that_accepts_and_stays_silent_is_unreachable() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as port:
        fault = await fault_of(http_on(port), hurried=True)

    assert fault.cause.code == "unreachable"


async def test_http_against_the_https_port_says_that_it_speaks_tls(windows_host: WindowsHost) -> None:
    fault = await fault_of(http_on(windows_host.https_port))

    assert fault.cause.code == "tls_required"


async def test_https_against_the_http_port_says_that_it_does_not_speak_tls(
    windows_host: WindowsHost,
) -> None:
    fault = await fault_of(WinrmSettings(scheme="https", port=windows_host.http_port))

    assert fault.cause.code == "tls_protocol_mismatch"


async def test_https_against_a_port_that_stays_silent_does_not_wait_for_the_read_time_out() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as port:
        fault = await fault_of(WinrmSettings(scheme="https", port=port), hurried=True)

    assert fault.cause.code == "tls_protocol_mismatch"


# -- certificates


def a_certificate(name: str, *, begins_in_days: int = -2, days: int = 10) -> HostCertificate:
    begins = now() + timedelta(days=begins_in_days)
    return self_signed("windows", (name,), begins, begins + timedelta(days=days))


@asynccontextmanager
async def host_with(certificate: HostCertificate) -> AsyncIterator[WindowsHost]:
    host = WindowsHost("win", USER, PASSWORD, certificate=certificate)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


def trusting(host: WindowsHost) -> WinrmSettings:
    return basic_over_https(host, fingerprint=None, ca_bundle=host.certificate.certificate)


async def test_a_self_signed_certificate_is_not_trusted_and_its_fingerprint_is_shown(
    windows_host: WindowsHost,
) -> None:
    fault = await fault_of(basic_over_https(windows_host, fingerprint=None))

    assert fault.cause.code == "tls_untrusted"
    assert "self-signed" in str(fault.words["detail"])
    assert windows_host.fingerprint in str(fault.words["detail"])
    assert windows_host.logins == []


async def test_an_expired_certificate_is_not_trusted() -> None:
    async with host_with(a_certificate("127.0.0.1", begins_in_days=-20)) as host:
        fault = await fault_of(trusting(host))

    assert fault.cause.code == "tls_untrusted"
    assert "expired" in str(fault.words["detail"])


async def test_a_certificate_of_another_host_is_not_trusted() -> None:
    async with host_with(a_certificate("other.example")) as host:
        fault = await fault_of(trusting(host))

    assert fault.cause.code == "tls_untrusted"
    assert "another" in str(fault.words["detail"])


async def test_another_certificate_than_the_pinned_one_is_not_trusted(windows_host: WindowsHost) -> None:
    fault = await fault_of(basic_over_https(windows_host, fingerprint="ab" * 32))

    assert fault.cause.code == "tls_untrusted"
    assert windows_host.fingerprint in str(fault.words["detail"])
    assert windows_host.logins == []


@pytest.mark.parametrize(
    "trust",
    [
        lambda host: {"fingerprint": host.fingerprint},
        lambda host: {"fingerprint": None, "ca_bundle": host.certificate.certificate},
        lambda host: {"fingerprint": None, "verify_tls": False},
    ],
    ids=["pinned", "own-ca", "unverified"],
)
@pytest.mark.parametrize("transport", ["basic", "ntlm"])
async def test_a_trusted_certificate_lets_the_step_run(
    windows_host: WindowsHost, trust: Callable[[WindowsHost], dict[str, Any]], transport: str
) -> None:
    bench = Bench(basic_over_https(windows_host, transport=transport, **trust(windows_host)))

    outcome = await bench.run("hostname")
    await bench.close()

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"SIMULATED-WIN\r\n"
