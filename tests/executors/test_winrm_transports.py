"""How a step logs in and what it goes through: certificates, proxies, sealing, nothing of the environment."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import spnego
from pydantic import ValidationError

from contracts.targets.specs import WinrmSettings
from infra.clock import now
from infra.sandbox.windows import HostCertificate, WindowsHost, self_signed
from tests.support.forward_proxy import a_proxy
from tests.support.ports import free_port
from tests.support.windows import PASSWORD, USER, Bench, basic_over_https, ntlm_over_http, script
from workers.executor.steps.base import StepFault


def client_certificate(name: str = "ops") -> HostCertificate:
    begins = now() - timedelta(days=1)
    return self_signed(name, (f"{name}.example",), begins, begins + timedelta(days=10))


def secrets_of(certificate: HostCertificate, **more: str) -> dict[str, str]:
    return {"certificate": certificate.certificate, "private_key": certificate.key} | more


@asynccontextmanager
async def host_that_knows(certificate: HostCertificate) -> AsyncIterator[WindowsHost]:
    host = WindowsHost("win", USER, PASSWORD, client_certificate=certificate.certificate)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


def by_certificate(host: WindowsHost) -> WinrmSettings:
    return basic_over_https(host, transport="certificate")


async def test_a_client_certificate_logs_in_and_its_key_is_never_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = client_certificate()
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        async with host_that_knows(certificate) as host:
            bench = Bench(by_certificate(host))
            outcome = await bench.run("hostname", secrets=secrets_of(certificate), username="")
            await bench.close()
            assert list(Path(folder).iterdir()) == []

    assert outcome.outcome == "succeeded"
    assert host.logins[0] == ("certificate", USER, True)
    assert {scheme for scheme, _, _ in host.logins} == {"certificate"}


async def test_where_no_anonymous_memory_is_the_key_file_is_private_and_gone_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    certificate = client_certificate()
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        async with host_that_knows(certificate) as host:
            bench = Bench(by_certificate(host))
            attempt = await bench.start(script("hostname"), secrets=secrets_of(certificate))
            left = list(Path(folder).iterdir())
            await attempt.release()
            await bench.close()

    assert left == []


async def test_a_certificate_that_is_mapped_to_nobody_is_rejected_once() -> None:
    known, other = client_certificate(), client_certificate("other")
    async with host_that_knows(known) as host:
        bench = Bench(by_certificate(host))
        with pytest.raises(StepFault) as rejected:
            await bench.start(script("hostname"), secrets=secrets_of(other))
        await bench.close()

    assert rejected.value.cause.code == "auth_rejected"
    assert "certificate" in str(rejected.value.words["detail"])
    assert host.journal == []


@pytest.mark.provokes("certificate_unusable")
@pytest.mark.parametrize(
    "broken",
    [
        {"private_key": "not a key"},
        {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"private_key": client_certificate("mixed up").key},
    ],
    ids=["no-key", "no-certificate", "of-another"],
)
async def test_an_unusable_certificate_is_named_before_anything_is_sent(broken: dict[str, str]) -> None:
    certificate = client_certificate()
    async with host_that_knows(certificate) as host:
        bench = Bench(by_certificate(host))
        with pytest.raises(StepFault) as unusable:
            await bench.start(script("hostname"), secrets=secrets_of(certificate) | broken)
        await bench.close()

    assert unusable.value.cause.code == "certificate_unusable"
    assert host.logins == []


@pytest.mark.parametrize("transport", ["certificate", "ntlm", "basic"])
async def test_a_credential_of_another_kind_does_not_fit(windows_host: WindowsHost, transport: str) -> None:
    wrong = {"password": PASSWORD} if transport == "certificate" else {"private_key": "x", "certificate": "y"}
    bench = Bench(basic_over_https(windows_host, transport=transport))

    with pytest.raises(StepFault) as missing:
        await bench.start(script("hostname"), secrets=wrong)
    await bench.close()

    assert missing.value.cause.code == "credential_missing"


async def test_basic_over_http_works_where_both_sides_were_told_so_loudly(windows_host: WindowsHost) -> None:
    windows_host.knobs.unencrypted_allowed = True
    bench = Bench(
        WinrmSettings(
            scheme="http", port=windows_host.http_port, transport="basic", allow_basic_over_http=True
        )
    )

    outcome = await bench.run("hostname")
    await bench.close()

    assert outcome.outcome == "succeeded"
    assert windows_host.logins[0] == ("basic", USER, True)


async def test_messages_are_sealed_over_https_too_where_that_is_asked_for(windows_host: WindowsHost) -> None:
    bench = Bench(basic_over_https(windows_host, transport="ntlm", message_encryption="always"))

    outcome = await bench.run("hostname")
    await bench.close()

    assert outcome.outcome == "succeeded"
    assert windows_host.sealed_messages >= 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scheme": "http", "transport": "basic"}, "allow_basic_over_http"),
        ({"scheme": "http", "transport": "certificate"}, "only be shown over https"),
        ({"scheme": "http", "message_encryption": "never"}, "in the clear"),
        ({"transport": "basic", "message_encryption": "always"}, "no key to seal"),
        ({"proxy": "http://user:secret@proxy:3128"}, "pattern"),
        ({"proxy": "socks5://proxy"}, "pattern"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        WinrmSettings.model_validate(settings)


# -- proxies


@pytest.mark.parametrize("make", [ntlm_over_http, basic_over_https], ids=["http", "https"])
async def test_a_step_goes_through_the_targets_proxy(windows_host: WindowsHost, make: Any) -> None:
    async with a_proxy() as (proxy, url):
        bench = Bench(make(windows_host).model_copy(update={"proxy": url}))
        outcome = await bench.run("hostname")
        await bench.close()

    assert outcome.outcome == "succeeded"
    assert proxy.requests


async def test_another_certificate_behind_the_proxy_is_not_trusted(windows_host: WindowsHost) -> None:
    async with a_proxy() as (_, url):
        bench = Bench(basic_over_https(windows_host, proxy=url, fingerprint="ab" * 32))
        with pytest.raises(StepFault) as untrusted:
            await bench.start(script("hostname"))
        await bench.close()

    assert untrusted.value.cause.code == "tls_untrusted"
    assert windows_host.logins == []


async def test_proxies_and_ca_bundles_of_the_environment_are_not_used(
    windows_host: WindowsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
        monkeypatch.setenv(name.lower(), nowhere)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere.pem")
    monkeypatch.delenv("NO_PROXY", raising=False)

    for settings in (ntlm_over_http(windows_host), basic_over_https(windows_host)):
        bench = Bench(settings)
        assert (await bench.run("hostname")).outcome == "succeeded"
        await bench.close()


# -- CredSSP, against pyspnego's acceptor


@dataclass
class Acceptors:
    """One for each login that begins."""

    made: int = 0

    def __call__(self) -> object:
        self.made += 1
        return spnego.server(protocol="credssp")


@pytest.fixture
async def credssp_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[WindowsHost]:
    accounts = tmp_path / "accounts"
    accounts.write_text(f":{USER}:{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))
    host = WindowsHost("win", USER, PASSWORD, schemes=("CredSSP",), credssp=Acceptors())
    await host.start()
    yield host
    await host.stop()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_credssp_logs_in_and_seals_what_it_says_over_http(
    credssp_host: WindowsHost, scheme: str
) -> None:
    settings = ntlm_over_http(credssp_host) if scheme == "http" else basic_over_https(credssp_host)
    bench = Bench(settings.model_copy(update={"transport": "credssp"}))

    outcome = await bench.run("# " + "x" * 100_000 + "\n[Console]::Out.Write('0123456789' * 20000)")
    await bench.close()

    assert outcome.outcome == "succeeded"
    assert bench.output.stdout == b"0123456789" * 20_000
    assert ("credssp", USER, True) in credssp_host.logins
    assert (credssp_host.sealed_messages > 0) is (scheme == "http")


async def test_a_wrong_password_over_credssp_is_tried_exactly_once(credssp_host: WindowsHost) -> None:
    bench = Bench(ntlm_over_http(credssp_host).model_copy(update={"transport": "credssp"}))

    with pytest.raises(StepFault) as rejected:
        await bench.start(script("hostname"), password="wrong")
    await bench.close()

    assert (rejected.value.cause.code, rejected.value.acted) == ("auth_rejected", False)
    assert isinstance(credssp_host.credssp, Acceptors)
    assert credssp_host.credssp.made == 1
    assert credssp_host.shells == {}


async def test_a_host_without_credssp_says_what_it_offers(windows_host: WindowsHost) -> None:
    bench = Bench(basic_over_https(windows_host, transport="credssp"))

    with pytest.raises(StepFault) as refused:
        await bench.start(script("hostname"))
    await bench.close()

    assert refused.value.cause.code == "auth_unsupported"
    assert "Negotiate" in str(refused.value.words["detail"])
