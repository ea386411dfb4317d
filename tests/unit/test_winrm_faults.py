"""Every way a host can refuse has a typed cause, and every cause the plug-in names is in the catalogue."""

import http.client
import ssl
import xml.etree.ElementTree as ET

import pytest
import requests
import urllib3.exceptions
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from contracts.causes import CAUSES, Retry
from workers.executor.steps.winrm.faults import FAULTS, SUBCODES, Diagnosis, Situation, diagnose
from workers.executor.steps.winrm.transport import signed
from workers.executor.steps.winrm_exec.outcome import CONTROL_C_EXIT, SIGNS, NotRun, described, outcome_of


def of(error: BaseException, *offered: str, transport: str = "ntlm") -> Diagnosis:
    return diagnose(error, transport=transport, offered=offered)


def fault(code: int | None, subcode: str | None = None) -> WSManFaultError:
    return WSManFaultError(500, "m", "r", "the reason", "s:Receiver", subcode, code)


def verification(code: int) -> requests.exceptions.SSLError:
    inner = ssl.SSLCertVerificationError(1, "certificate verify failed")
    inner.verify_code, inner.verify_message = code, "some other reason"
    return requests.exceptions.SSLError(urllib3.exceptions.SSLError(inner))


LOST, FINAL, FULL = Situation.LOST, Situation.FINAL, Situation.FULL
ROWS: list[tuple[BaseException, Situation, str]] = [
    (fault(5), FINAL, "access_denied"),
    (fault(None, "w:AccessDenied"), FINAL, "access_denied"),
    (fault(2150859172), FULL, "quota"),
    (fault(2150859173), FULL, "quota"),
    (fault(2150859174), FULL, "quota"),
    (fault(None, "w:QuotaLimit"), FULL, "quota"),
    (fault(2147942606), FINAL, "command_line_too_long"),
    (fault(2150858843), Situation.VANISHED, "shell_vanished"),
    (fault(995), Situation.VANISHED, "shell_vanished"),
    (fault(170), Situation.BUSY, "connection_lost"),
    (fault(109), Situation.PIPE_ENDED, "connection_lost"),
    (fault(2147942402), FINAL, "program_not_found"),
    (fault(4711), FINAL, "remote_fault"),
    (WinRMOperationTimeoutError(), Situation.BUSY, "connection_lost"),
    (WinRMTransportError("http", 400, ""), LOST, "connection_lost"),
    (WinRMTransportError("http", 404, "x"), FINAL, "not_winrm"),
    (WinRMTransportError("http", 413, ""), FINAL, "message_too_large"),
    (WinRMTransportError("http", 500, ""), FINAL, "encryption_required"),
    (WinRMTransportError("http", 503, ""), FULL, "service_unavailable"),
    (requests.exceptions.ConnectionError("gone"), LOST, "unreachable"),
    (requests.exceptions.ChunkedEncodingError("cut"), LOST, "unreachable"),
    (requests.exceptions.ConnectTimeout("late"), LOST, "unreachable"),
    (requests.exceptions.ReadTimeout("silent"), Situation.SILENT, "unreachable"),
    (requests.exceptions.ProxyError("proxy"), FINAL, "proxy_answered"),
    (WinRMTransportError("http", 407, ""), FINAL, "proxy_answered"),
    (WinRMTransportError("http", 502, "x"), FINAL, "proxy_answered"),
    (WinRMError("but requests-credssp is not installed"), FINAL, "transport_not_installed"),
    (
        requests.exceptions.ConnectionError(
            urllib3.exceptions.ProtocolError("aborted", http.client.BadStatusLine("SSH-2.0"))
        ),
        FINAL,
        "not_winrm",
    ),
    (
        requests.exceptions.ConnectionError(
            urllib3.exceptions.ProtocolError("aborted", http.client.RemoteDisconnected("closed"))
        ),
        LOST,
        "unreachable",
    ),
    (requests.exceptions.SSLError("wrong version number"), FINAL, "tls_protocol_mismatch"),
    (verification(18), FINAL, "tls_untrusted"),
    (ET.ParseError("no xml"), FINAL, "not_winrm"),
    (AttributeError("'NoneType' object has no attribute 'wrap'"), FINAL, "not_winrm"),
    (PermissionError("no challenge"), FINAL, "auth_unsupported"),
    (MemoryError(), FINAL, "internal"),
]


@pytest.mark.parametrize(("error", "situation", "code"), ROWS, ids=lambda value: str(value)[:40])
def test_each_failure_is_diagnosed(error: BaseException, situation: Situation, code: str) -> None:
    found = of(error)

    assert (found.situation, found.code) == (situation, code)
    assert code in CAUSES


def test_every_code_the_tables_name_is_in_the_catalogue() -> None:
    named = {code for _, code in (*FAULTS.values(), *SUBCODES.values(), *SIGNS)}

    assert named <= set(CAUSES)


@pytest.mark.parametrize(
    ("offered", "transport", "code"),
    [
        (("Negotiate",), "basic", "auth_unsupported"),
        (("Basic",), "ntlm", "auth_unsupported"),
        (("Negotiate", "Basic"), "ntlm", "auth_rejected"),
        (("NTLM",), "ntlm", "auth_rejected"),
        ((), "basic", "auth_rejected"),
    ],
)
def test_a_rejection_is_told_from_a_transport_that_is_not_offered(
    offered: tuple[str, ...], transport: str, code: str
) -> None:
    found = of(InvalidCredentialsError(), *offered, transport=transport)

    assert found.code == code
    assert CAUSES[found.code].retry is Retry.NEVER


def test_the_three_usual_certificate_problems_have_three_texts() -> None:
    details = {of(verification(code)).detail for code in (10, 18, 62)}

    assert len(details) == 3
    assert of(verification(99)).detail == "some other reason"


def test_exit_codes_carry_a_sign_as_windows_shows_them() -> None:
    assert signed(0xC000013A) == CONTROL_C_EXIT
    assert signed(5) == 5
    assert described(CONTROL_C_EXIT) == "-1073741510 (0xC000013A), stopped by Ctrl+C"
    assert described(3) == "3"


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ("System.OutOfMemoryException", "memory_quota"),
        ("running scripts is disabled on this system", "scripts_disabled"),
        ("anything", None),
    ],
)
def test_some_texts_name_a_better_cause_than_the_exit_code(tail: str, code: str | None) -> None:
    outcome = outcome_of(1, tail, gate_opened=True, lossy=False)

    assert outcome.outcome == "ended"
    assert outcome.cause is (CAUSES[code] if code else None)


def test_a_shell_that_ended_before_its_gate_opened_has_not_run_the_script() -> None:
    with pytest.raises(NotRun) as refused:
        outcome_of(1, "Cannot create type. Only core types are supported", gate_opened=False, lossy=False)

    assert refused.value.code == "script_not_run"
    assert "core types" in refused.value.detail


def test_where_output_was_lost_an_exit_code_counts_without_the_marker() -> None:
    assert outcome_of(0, "", gate_opened=False, lossy=True).exit_code == 0
