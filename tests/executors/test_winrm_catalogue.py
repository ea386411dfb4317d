"""Everything that is known to go wrong over WinRM, provoked; the cause and the words a person gets for it.

Each row: what the host (or the way to it) does, the typed cause, and words that its message or hint must
hold. Rows of Kerberos cannot be provoked without a realm: they are tested at the diagnosis, with the real
exception types, and so is what only a client that lacks a package can show.
"""

import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import winrm

from contracts.targets.specs import WinrmSettings
from infra.clock import now
from infra.sandbox.windows import WindowsHost, faults, self_signed
from infra.sandbox.windows.faults import Misbehaviour, Plain
from infra.sandbox.windows.soap import Fault
from tests.executors.test_winrm_reaching import answering, html
from tests.support.listening import listening
from tests.support.ports import free_port
from tests.support.windows import PASSWORD, PATIENT, USER, Bench, basic_over_https, ntlm_over_http, script
from workers.executor.steps.base import StepFault
from workers.executor.steps.winrm.faults import diagnose
from workers.executor.steps.winrm_exec import WinrmExecPlugin
from workers.executor.steps.winrm_exec.outcome import outcome_of
from workers.executor.verdicts import Ended, error_of, from_fault, from_outcome

Way = Callable[[], AbstractAsyncContextManager[WinrmSettings]]


@dataclass
class Row:
    """One line of the catalogue."""

    what: str
    way: Way
    code: str
    words: tuple[str, ...]
    step: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


def on_host(
    settings: Callable[[WindowsHost], WinrmSettings] = ntlm_over_http,
    prepare: Callable[[WindowsHost], object] = lambda _: None,
    **options: Any,
) -> Way:
    """A host of the row's own, prepared to go wrong."""

    @asynccontextmanager
    async def way() -> AsyncIterator[WinrmSettings]:
        host = WindowsHost("win", USER, PASSWORD, **options)
        await host.start()
        prepare(host)
        try:
            yield settings(host)
        finally:
            await host.stop()

    return way


def answers(action: str, *planned: Misbehaviour) -> Way:
    return on_host(prepare=lambda host: host.plan.answer(action, *planned))


def port_that_answers(answer: bytes) -> Way:
    @asynccontextmanager
    async def way() -> AsyncIterator[WinrmSettings]:
        async with listening(answering(answer)) as port:
            yield WinrmSettings(scheme="http", port=port)

    return way


def address(**settings: Any) -> Way:
    @asynccontextmanager
    async def way() -> AsyncIterator[WinrmSettings]:
        yield WinrmSettings(**{"scheme": "http"} | settings)

    return way


def expired(host: str = "127.0.0.1") -> dict[str, Any]:
    begins = now() - timedelta(days=20)
    return {"certificate": self_signed("win", (host,), begins, begins + timedelta(days=10))}


def of_another() -> dict[str, Any]:
    begins = now() - timedelta(days=1)
    return {"certificate": self_signed("win", ("other.example",), begins, begins + timedelta(days=10))}


def own_ca(host: WindowsHost) -> WinrmSettings:
    return basic_over_https(host, fingerprint=None, ca_bundle=host.certificate.certificate)


def unpinned(host: WindowsHost) -> WinrmSettings:
    return basic_over_https(host, fingerprint=None)


def ntlm_over_https(host: WindowsHost) -> WinrmSettings:
    return basic_over_https(host, transport="ntlm")


def says(text: str) -> dict[str, Any]:
    return {"command": f"[Console]::Error.WriteLine('{text}'); exit 1"}


WRONG, NOWHERE = {"password": "wrong"}, {"hostname": "no.invalid"}
LONG_LIST = [faults.shell_quota()] * 30
ROWS = [
    Row("port closed", address(port=free_port()), "unreachable", ("Connection refused", "winrm quickconfig")),
    Row(
        "name unknown",
        address(),
        "name_unresolved",
        ("does not resolve",),
        context={"hostname": "no.invalid"},
    ),
    Row("a proxy wants a login", port_that_answers(html("407 X")), "proxy_answered", ("HTTP 407", "proxy")),
    Row("a proxy cannot get through", port_that_answers(html("502 X")), "proxy_answered", ("HTTP 502",)),
    Row(
        "the target's proxy is not there",
        address(proxy=f"http://127.0.0.1:{free_port()}"),
        "proxy_answered",
        ("refused", "target's proxy"),
    ),
    Row("self-signed", on_host(unpinned), "tls_untrusted", ("self-signed", "SHA-256", "pin its fingerprint")),
    Row("expired", on_host(own_ca, **expired()), "tls_untrusted", ("expired",)),
    Row("another name", on_host(own_ca, **of_another()), "tls_untrusted", ("issued for another",)),
    Row(
        "https to the http port",
        on_host(lambda host: WinrmSettings(port=host.http_port)),
        "tls_protocol_mismatch",
        ("does not speak TLS", "5985"),
    ),
    Row(
        "http to the https port",
        on_host(lambda host: WinrmSettings(scheme="http", port=host.https_port)),
        "tls_required",
        ("speaks TLS", "scheme to https"),
    ),
    Row(
        "only Negotiate is offered",
        on_host(basic_over_https, schemes=("Negotiate",)),
        "auth_unsupported",
        ("it offers Negotiate", "Basic is disabled"),
    ),
    Row(
        "wrong password, ntlm",
        on_host(),
        "auth_rejected",
        ("locked", r".\user", "Not tried again"),
        context=WRONG,
    ),
    Row(
        "wrong password, basic",
        on_host(basic_over_https),
        "auth_rejected",
        ("rejected user ops", "basic knows no others"),
        context=WRONG,
    ),
    Row(
        "a login over TLS that ends in between",
        on_host(ntlm_over_https),
        "auth_rejected",
        ("channel binding", "CbtHardeningLevel"),
        context=WRONG,
    ),
    Row("a 500 without a word", answers("Create", Plain(500)), "encryption_required", ("AllowUnencrypted",)),
    Row(
        "HTTP 400 again and again",
        answers("Create", *[Plain(400)] * 9),
        "connection_lost",
        ("security context", "HTTP 400"),
    ),
    Row(
        "another path",
        on_host(lambda host: WinrmSettings(scheme="http", port=host.http_port, path="/other")),
        "not_winrm",
        ("HTTP 404", "URL prefix"),
    ),
    Row(
        "messages too large",
        on_host(prepare=lambda host: setattr(host.knobs, "envelope_bytes", 60_000)),
        "message_too_large",
        ("MaxEnvelopeSizekb",),
        step={"command": "# " + "x" * 200_000},
    ),
    Row(
        "HTTP 503 for long",
        answers("Create", *[Plain(503)] * 30),
        "service_unavailable",
        ("starting or overloaded",),
    ),
    Row("a web page", port_that_answers(html("200 OK")), "not_winrm", ("Another web server",)),
    Row("a web page after the login", answers("Create", faults.html()), "not_winrm", ("not as WinRM does",)),
    Row(
        "AccessDenied",
        answers("Create", faults.access_denied()),
        "access_denied",
        ("Remote Management Users", "LocalAccountTokenFilterPolicy"),
    ),
    Row(
        "MaxShellsPerUser", answers("Create", *LONG_LIST), "quota", ("MaxShellsPerUser", "concurrent shells")
    ),
    Row(
        "MaxConcurrentUsers",
        answers("Create", *[faults.user_quota()] * 30),
        "quota",
        ("MaxConcurrentUsers", "number of users"),
    ),
    Row(
        "MaxConcurrentOperationsPerUser",
        answers("Command", *[faults.operation_quota()] * 30),
        "quota",
        ("MaxConcurrentOperationsPerUser",),
    ),
    Row(
        "commands per shell",
        answers("Command", *[faults.commands_per_shell()] * 30),
        "quota",
        ("commands per shell",),
    ),
    Row(
        "shell gone",
        answers("Receive", faults.shell_not_found()),
        "shell_vanished",
        ("reboot", "resolve the task"),
    ),
    Row("aborted", answers("Receive", faults.aborted()), "shell_vanished", ("service restart",)),
    Row(
        "command line too long",
        answers("Command", faults.command_line_too_long()),
        "command_line_too_long",
        ("8191", "script step"),
    ),
    Row("no such program", answers("Command", faults.program_not_found()), "program_not_found", ("PATH",)),
    Row("any other fault", answers("Create", *[Fault(4711, "Odd.")] * 2), "remote_fault", ("4711", "Odd.")),
    Row(
        "out of memory",
        on_host(),
        "memory_quota",
        ("MaxMemoryPerShellMB",),
        step=says("Exception of type System.OutOfMemoryException was thrown."),
    ),
    Row(
        "paging file",
        on_host(),
        "memory_quota",
        ("scheduled task",),
        step=says("The paging file is too small for this operation to complete."),
    ),
    Row(
        "a share through a second hop",
        on_host(),
        "double_hop",
        ("double hop", "credssp"),
        step=says(r"Access to the path ''\\files\share'' is denied."),
    ),
    Row(
        "scripts disabled",
        on_host(),
        "scripts_disabled",
        ("execution policy",),
        step=says("File x.ps1 cannot be loaded because running scripts is disabled on this system."),
    ),
    Row(
        "cmd line too long",
        on_host(),
        "command_line_too_long",
        ("8191",),
        step=says("The command line is too long."),
    ),
    Row(
        "no PowerShell 7",
        on_host(prepare=lambda host: setattr(host, "has_pwsh", False)),
        "pwsh_missing",
        ("Install PowerShell 7",),
        step={"shell": "pwsh"},
    ),
    Row("no such folder", on_host(), "folder_not_found", (r"D:\no", "cwd"), step={"cwd": r"D:\no"}),
]


async def told(row: Row) -> dict[str, Any]:
    """The error that the attempt of this row ends with."""
    async with row.way() as settings:
        bench = Bench(settings, WinrmExecPlugin(limits=replace(PATIENT, room=1.0), threads=8))
        spec = script(**{"command": "hostname"} | row.step)
        try:
            ended = from_outcome(await bench.run(spec, **row.context))
        except StepFault as fault:
            ended = from_fault(spec, fault)
        finally:
            await bench.close()
    named = {"host": "win-01", "user": USER} | dict(ended.words)
    error = error_of(Ended(state=ended.state, cause=ended.cause, words=named))
    assert error is not None
    return error


@pytest.mark.provokes(*sorted({row.code for row in ROWS}))
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
async def test_what_goes_wrong_is_told_in_words_a_person_can_act_on(row: Row) -> None:
    error = await told(row)

    assert error["code"] == row.code, error
    for words in row.words:
        assert words in error["message"] + " " + error["hint"]
    assert "{" not in error["message"] + error["hint"]
    assert "?" not in error["message"]


# -- what mends itself


MENDED = [
    ("a lost security context", "Receive", [Plain(400)]),
    ("an operation time-out on Receive", "Receive", [faults.timed_out()] * 3),
    ("an operation time-out on Send", "Send", [faults.timed_out()]),
    ("a busy pipe", "Send", [faults.busy()] * 2),
    ("a pipe that had ended", "Signal", [faults.pipe_ended()]),
    ("no room for a shell", "Create", [faults.shell_quota()]),
    ("no room for a user", "Create", [faults.user_quota()]),
    ("too many operations, in a new shell", "Command", [faults.operation_quota()]),
    ("too many commands, in a new shell", "Command", [faults.commands_per_shell()]),
    ("a service that starts", "Create", [Plain(503)]),
    ("a service that is overloaded while a command runs", "Receive", [Plain(503)]),
]


@pytest.mark.parametrize(("what", "action", "planned"), MENDED, ids=[row[0] for row in MENDED])
async def test_what_passes_by_itself_is_waited_for_and_the_script_runs_once(
    windows_host: WindowsHost, bench: Bench, what: str, action: str, planned: list[Misbehaviour]
) -> None:
    windows_host.plan.answer(action, *planned)

    outcome = await bench.run("hostname")

    assert outcome.outcome == "succeeded", what
    assert bench.output.stdout == b"SIMULATED-WIN\r\n"
    assert len(windows_host.journal) == 1
    assert windows_host.shells == {}


# -- what cannot be provoked here: the diagnosis, given the real exceptions


def kerberos_error(name: str, text: str) -> Exception:
    """An exception of the library that pywinrm brings along; it can only be imported beside pykerberos."""
    path = Path(winrm.__file__).parent / "vendor" / "requests_kerberos" / "exceptions.py"
    spec = importlib.util.spec_from_file_location("requests_kerberos_exceptions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    error: Exception = getattr(module, name)(text)
    return error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "('Server not found in Kerberos database', -1765328377)",
            "SPN HTTP/",
        ),
        ("('Clock skew too great', -1765328347)", "clocks differ"),
        ('Cannot find KDC for realm "EXAMPLE.ORG"', "krb5.conf"),
        ("No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)", "kinit"),
        ("Ticket expired", "expired"),
        ("something else", "something else"),
    ],
)
@pytest.mark.parametrize("name", ["KerberosExchangeError", "MutualAuthenticationError"])
def test_kerberos_says_what_is_missing(name: str, text: str, words: str) -> None:
    found = diagnose(kerberos_error(name, text), transport="kerberos", offered=())

    assert found.code == "kerberos_failed"
    assert words in found.detail


@pytest.mark.provokes("transport_not_installed")
async def test_a_missing_package_is_named_with_the_way_to_install_it(
    windows_host: WindowsHost, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winrm.transport.HAVE_CREDSSP", False)
    monkeypatch.setattr("winrm.transport.HAVE_KERBEROS", False)
    for transport in ("credssp", "kerberos"):
        bench.settings = basic_over_https(windows_host, transport=transport)
        with pytest.raises(StepFault) as missing:
            await bench.start(script("hostname"))

        assert missing.value.cause.code == "transport_not_installed"
        assert missing.value.words["detail"] == transport
        assert f"opsconductor[{transport}]" in missing.value.cause.hint
    assert windows_host.logins == []


def test_a_second_hop_to_the_directory_is_recognised_too() -> None:
    tail = "Get-ADUser : Access is denied. Unable to contact the Active Directory Web Services."

    outcome = outcome_of(1, tail, gate_opened=True, lossy=False)

    assert outcome.cause is not None
    assert outcome.cause.code == "double_hop"
