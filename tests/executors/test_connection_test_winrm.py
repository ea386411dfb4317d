"""A connection test over WinRM: every stage passes on a good host, and fails once with its typed cause."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.targets.specs import SshSettings, WinrmSettings
from infra.blocking import BlockingPool
from infra.clock import now
from infra.sandbox.windows import WindowsHost, faults, self_signed
from tests.support.forward_proxy import a_proxy
from tests.support.ports import free_port
from tests.support.windows import PASSWORD, USER, basic_over_https, ntlm_over_http
from workers.executor.steps.base import OpenedCredential, TargetView
from workers.executor.steps.winrm.connections import Connection
from workers.executor.steps.winrm.names import names_of_test
from workers.executor.testing import seating
from workers.executor.testing.examine import Result, examine
from workers.executor.testing.winrm import quotas_in


@pytest.fixture
def pool() -> Iterator[BlockingPool]:
    pool = BlockingPool("test", 4)
    yield pool
    pool.close()


def _target(settings: WinrmSettings, hostname: str = "127.0.0.1") -> TargetView:
    return TargetView(
        id=uuid4(), name="win", hostname=hostname, os="windows", winrm=settings, ssh=SshSettings()
    )


def _credential(password: str = PASSWORD) -> OpenedCredential:
    return OpenedCredential(
        id=uuid4(), version=1, type="winrm", username=USER, secrets={"password": password}
    )


async def _tested(settings: WinrmSettings, pool: BlockingPool, **changes: Any) -> Result:
    password, hostname = changes.get("password", PASSWORD), changes.get("hostname", "127.0.0.1")
    return await examine("winrm", _target(settings, hostname), _credential(password), pool)


def _failed_at(result: Result) -> tuple[str, str]:
    [stage] = [stage for stage in result.stages if stage["status"] == "failed"]
    assert result.error == stage["error"]
    return stage["stage"], stage["error"]["code"]


@asynccontextmanager
async def _host(**options: Any) -> AsyncIterator[WindowsHost]:
    host = WindowsHost("win-02", USER, PASSWORD, **options)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


@pytest.mark.parametrize("settings", [ntlm_over_http, basic_over_https], ids=["ntlm-http", "basic-https"])
async def test_a_good_host_passes_every_stage_and_leaves_no_shell(
    windows_host: WindowsHost, pool: BlockingPool, settings: Any
) -> None:
    chosen = settings(windows_host)

    result = await _tested(chosen, pool)

    assert result.error is None, result.error
    stages = {stage["stage"]: stage["status"] for stage in result.stages}
    assert stages == {
        "dns": "ok",
        "tcp": "ok",
        "tls": "ok" if chosen.scheme == "https" else "skipped",
        "auth": "ok",
        "command": "ok",
    }
    assert ("Basic" if chosen.scheme == "https" else "Negotiate") in result.presented["auth_methods"]
    assert result.presented["system"]["powershell"] == "5.1.0.0"
    assert result.presented["system"]["os"].startswith("Windows ")
    assert [accepted for _, _, accepted in windows_host.logins].count(False) == 0
    assert windows_host.shells == {}


async def test_the_certificate_is_shown_for_pinning(windows_host: WindowsHost, pool: BlockingPool) -> None:
    shown = (await _tested(basic_over_https(windows_host), pool)).presented["certificate"]

    assert (shown["fingerprint"], shown["pinned"], shown["trusted"]) == (
        windows_host.fingerprint,
        True,
        True,
    )
    assert shown["subject"] == shown["issuer"] == "CN=SIMULATED-WIN"
    assert shown["names"] == ["localhost", "127.0.0.1"]
    assert shown["not_after"] > shown["not_before"]


async def test_dead_names_and_closed_ports_fail_before_tls(pool: BlockingPool) -> None:
    dead = await _tested(WinrmSettings(), pool, hostname="no-such-host.invalid")
    closed = await _tested(WinrmSettings(port=free_port()), pool)

    assert _failed_at(dead) == ("dns", "name_unresolved")
    assert _failed_at(closed) == ("tcp", "unreachable")


async def test_self_signed_expired_misnamed_and_changed_certificates_are_told_apart(
    windows_host: WindowsHost, pool: BlockingPool
) -> None:
    at = now()
    expired = self_signed("old", ("127.0.0.1",), at - timedelta(days=9), at - timedelta(days=1))
    misnamed = self_signed("other", ("elsewhere.test",), at - timedelta(days=1), at + timedelta(days=9))
    said = {}
    for kind, certificate in (("expired", expired), ("misnamed", misnamed)):
        async with _host(certificate=certificate) as host:
            trusting = basic_over_https(host, fingerprint=None, ca_bundle=certificate.certificate)
            said[kind] = await _tested(trusting, pool)
            assert said[kind].presented["certificate"]["fingerprint"] == certificate.fingerprint
            assert host.logins == []
    said["self-signed"] = await _tested(basic_over_https(windows_host, fingerprint=None), pool)
    said["changed"] = await _tested(basic_over_https(windows_host, fingerprint="0" * 64), pool)

    assert {_failed_at(result) for result in said.values()} == {("tls", "tls_untrusted")}
    messages = {kind: result.error["message"] for kind, result in said.items() if result.error}
    assert "expired" in messages["expired"]
    assert "another" in messages["misnamed"]
    assert "self-signed" in messages["self-signed"]
    assert "not the pinned one" in messages["changed"]
    assert len(set(messages.values())) == 4


async def test_http_and_https_on_the_wrong_port_are_told(
    windows_host: WindowsHost, pool: BlockingPool
) -> None:
    tls_on_plain = basic_over_https(windows_host).model_copy(update={"port": windows_host.http_port})
    plain_on_tls = ntlm_over_http(windows_host).model_copy(update={"port": windows_host.https_port})

    assert _failed_at(await _tested(tls_on_plain, pool)) == ("tls", "tls_protocol_mismatch")
    assert _failed_at(await _tested(plain_on_tls, pool)) == ("auth", "tls_required")


async def test_a_wrong_password_is_tried_once_and_never_shown(
    windows_host: WindowsHost, pool: BlockingPool
) -> None:
    result = await _tested(ntlm_over_http(windows_host), pool, password="wrong-horse")

    assert _failed_at(result) == ("auth", "auth_rejected")
    assert result.fault is not None
    assert result.fault.cause.code == "auth_rejected"
    assert [accepted for _, _, accepted in windows_host.logins] == [False]
    assert "wrong-horse" not in repr(result)
    encoded = base64.b64encode(f"{USER}:wrong-horse".encode()).decode()
    assert encoded not in repr(result)


async def test_a_host_that_offers_another_login_says_so_without_a_try(pool: BlockingPool) -> None:
    async with _host(schemes=("Basic",)) as host:
        result = await _tested(basic_over_https(host, transport="ntlm"), pool)
        nothing = await _tested(ntlm_over_http(host), pool)

        assert _failed_at(result) == _failed_at(nothing) == ("auth", "auth_unsupported")
        assert result.presented["auth_methods"] == ["Basic"]
        assert nothing.presented["auth_methods"] == []
        assert host.logins == []
        assert host.logins == []


async def test_a_host_without_room_for_a_shell_fails_the_command(
    windows_host: WindowsHost, pool: BlockingPool
) -> None:
    windows_host.plan.answer("Create", faults.shell_quota())

    result = await _tested(ntlm_over_http(windows_host), pool)

    assert _failed_at(result) == ("command", "quota")
    assert [stage["status"] for stage in result.stages] == ["ok", "ok", "skipped", "ok", "failed"]


async def test_a_web_server_is_not_winrm(pool: BlockingPool) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(page, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await _tested(WinrmSettings(scheme="http", port=port), pool)

    assert _failed_at(result) == ("auth", "not_winrm")


def test_quotas_are_read_from_the_configuration_of_the_host() -> None:
    answer = "<cfg:Winrs><cfg:MaxShellsPerUser>30</cfg:MaxShellsPerUser><cfg:Other>1</cfg:Other></cfg:Winrs>"

    assert quotas_in(answer) == {"MaxShellsPerUser": "30"}


@pytest.mark.parametrize("settings", [ntlm_over_http, basic_over_https], ids=["ntlm-http", "basic-https"])
async def test_a_host_behind_a_proxy_is_tested_through_it(
    windows_host: WindowsHost, pool: BlockingPool, settings: Any
) -> None:
    async with a_proxy() as (proxy, url):
        chosen = settings(windows_host).model_copy(update={"proxy": url})
        result = await _tested(chosen, pool, hostname="127.0.0.1")

    assert result.error is None, result.stages
    stages = {stage["stage"]: (stage["status"], stage["detail"]) for stage in result.stages}
    assert stages["dns"] == ("skipped", f"the proxy {url} resolves the name")
    assert stages["tcp"] == ("ok", f"through the proxy {url}")
    assert len(proxy.requests) >= (4 if chosen.scheme == "https" else 2)
    assert windows_host.shells == {}


@pytest.mark.parametrize("settings", [ntlm_over_http, basic_over_https], ids=["ntlm-http", "basic-https"])
async def test_a_proxy_that_is_not_there_fails_the_connection(
    windows_host: WindowsHost, pool: BlockingPool, settings: Any
) -> None:
    chosen = settings(windows_host).model_copy(update={"proxy": f"http://127.0.0.1:{free_port()}"})

    assert _failed_at(await _tested(chosen, pool)) == ("tcp", "proxy_answered")
    assert windows_host.logins == []


async def test_another_certificate_behind_a_proxy_is_shown_and_not_trusted(
    windows_host: WindowsHost, pool: BlockingPool
) -> None:
    async with a_proxy() as (_, url):
        result = await _tested(basic_over_https(windows_host, proxy=url, fingerprint="ab" * 32), pool)

    assert _failed_at(result) == ("tls", "tls_untrusted")
    assert result.presented["certificate"]["fingerprint"] == windows_host.fingerprint
    assert windows_host.logins == []


@dataclass
class FullFor:
    """A place that is taken by others for a while."""

    looks: int
    left: int = 0

    async def take(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    async def leave(self) -> None:
        self.left += 1


@pytest.mark.provokes("no_free_session")
async def test_a_test_waits_a_little_for_a_session_and_never_takes_one_too_many(
    windows_host: WindowsHost, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seating, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(seating, "WAIT_SECONDS", 0.5)
    target = _target(ntlm_over_http(windows_host))
    soon, never = FullFor(3), FullFor(1_000_000)

    full = await examine("winrm", target, _credential(), pool, seat=never)
    assert _failed_at(full) == ("auth", "no_free_session")
    assert (windows_host.logins, never.left) == ([], 1)
    passed = await examine("winrm", target, _credential(), pool, seat=soon)
    assert (passed.error, soon.left) == (None, 1)


async def test_the_shell_of_a_test_whose_executor_died_goes_with_the_next_try_of_it(
    windows_host: WindowsHost, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_id, target = uuid4(), _target(ntlm_over_http(windows_host))
    with monkeypatch.context() as killed:
        killed.setattr("workers.executor.testing.winrm._delete", _nothing)
        for tries in (1, 2):
            await examine("winrm", target, _credential(), pool, names=names_of_test(test_id, tries))
    assert windows_host.shells.keys() == {names_of_test(test_id, 2).own}, "the second took the first one's"

    result = await examine("winrm", target, _credential(), pool, names=names_of_test(test_id, 3))

    assert result.error is None
    assert windows_host.shells == {}


async def test_the_shell_of_a_test_that_nobody_begins_again_goes_within_a_minute(
    windows_host: WindowsHost, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.testing.winrm._delete", _nothing)
    await _tested(ntlm_over_http(windows_host), pool)
    windows_host.knobs.names_shells_itself = True
    await _tested(ntlm_over_http(windows_host), pool)

    assert [shell.idle for shell in windows_host.shells.values()] == [60.0, 60.0]


async def _nothing(_connection: Connection, _shell_id: str) -> None:
    """An executor that is killed clears up nothing."""
