"""What an exception of pywinrm or requests means: one of a few situations, and a cause for a person."""

import ssl
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http.client import BadStatusLine

import requests
import spnego.exceptions
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from workers.executor.steps.winrm_exec.tls import untrusted_because

AUTH_REJECTED_DETAIL = "the user or password is wrong, or the account is locked, disabled or expired"


class Situation(Enum):
    """What to do about it; all but FINAL are handled inside of the plug-in."""

    FINAL = auto()
    LOST = auto()
    """The connection or its security context is gone: connect again and go on with the same command."""
    SILENT = auto()
    """Connected, but no answer within the read time-out."""
    BUSY = auto()
    """Not now: wait and ask again."""
    PIPE_ENDED = auto()
    """The command's stdin is closed."""
    VANISHED = auto()
    """The shell or the command is unknown to the host."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`code` is a key of the catalogue of causes, `detail` fills its placeholder."""

    situation: Situation
    code: str
    detail: str = ""


FAULTS: dict[int, tuple[Situation, str]] = {
    5: (Situation.FINAL, "access_denied"),
    109: (Situation.PIPE_ENDED, "connection_lost"),
    170: (Situation.BUSY, "connection_lost"),
    232: (Situation.PIPE_ENDED, "connection_lost"),
    995: (Situation.VANISHED, "shell_vanished"),
    2147942402: (Situation.FINAL, "program_not_found"),
    2150858793: (Situation.BUSY, "connection_lost"),
    2150858843: (Situation.VANISHED, "shell_vanished"),
    2150859047: (Situation.BUSY, "connection_lost"),
    2150859172: (Situation.FINAL, "quota"),
    2150859173: (Situation.FINAL, "quota"),
    2150859174: (Situation.FINAL, "quota"),
}
"""WSManFault codes (wsmerror.h) and Win32 codes that a shell operation answers with."""

SUBCODES = {"AccessDenied": "access_denied", "QuotaLimit": "quota"}
NOT_WINRM: tuple[type[BaseException], ...] = (
    AttributeError,  # requests_ntlm never got a challenge: the server answered without asking for a login
    KeyError,  # an answer without the headers or nodes of WS-Management
    StopIteration,
    ET.ParseError,
    UnicodeDecodeError,
    ValueError,
    WinRMError,
)


def diagnose(error: BaseException, *, transport: str, offered: Sequence[str]) -> Diagnosis:  # noqa: PLR0911  (a row for each kind of error)
    """`offered`: what the host's last WWW-Authenticate header named."""
    if isinstance(error, AuthenticationError):
        return _rejected(transport, offered)
    if isinstance(error, PermissionError | spnego.exceptions.SpnegoError):
        return Diagnosis(Situation.FINAL, "auth_unsupported", "it did not answer the NTLM handshake")
    if isinstance(error, WSManFaultError):
        return _fault(error)
    if isinstance(error, WinRMOperationTimeoutError):
        return Diagnosis(Situation.BUSY, "connection_lost", "operation timed out")
    if isinstance(error, WinRMTransportError):
        return _status(error)
    if isinstance(error, requests.RequestException):
        return _connection(error)
    if isinstance(error, NOT_WINRM):
        return Diagnosis(Situation.FINAL, "not_winrm", f"{type(error).__name__} while reading its answer")
    return Diagnosis(Situation.FINAL, "internal", f"{type(error).__name__}: {error}")


def _rejected(transport: str, offered: Sequence[str]) -> Diagnosis:
    fitting = {"basic"} if transport == "basic" else {"ntlm", "negotiate"}
    if offered and not fitting & {scheme.lower() for scheme in offered}:
        detail = f"it offers {', '.join(offered)}, the target is set to {transport}"
        return Diagnosis(Situation.FINAL, "auth_unsupported", detail)
    return Diagnosis(Situation.FINAL, "auth_rejected", AUTH_REJECTED_DETAIL)


def _fault(error: WSManFaultError) -> Diagnosis:
    reason = " ".join(str(error.reason).split())
    known = FAULTS.get(error.wsman_fault_code or error.wmierror_code or 0)
    if known is not None:
        return Diagnosis(known[0], known[1], reason)
    subcode = (error.fault_subcode or "").rpartition(":")[2]
    if subcode in SUBCODES:
        return Diagnosis(Situation.FINAL, SUBCODES[subcode], reason)
    return Diagnosis(Situation.FINAL, "remote_fault", f"{reason} (fault {error.wsman_fault_code})")


def _status(error: WinRMTransportError) -> Diagnosis:
    status = error.code
    if status == requests.codes.bad_request:
        return Diagnosis(Situation.LOST, "connection_lost", "HTTP 400: security context lost")
    if status == requests.codes.internal_server_error and not error.response_text:
        return Diagnosis(Situation.FINAL, "encryption_required")
    if status == requests.codes.request_entity_too_large:
        return Diagnosis(Situation.FINAL, "message_too_large")
    if status == requests.codes.service_unavailable:
        return Diagnosis(Situation.FINAL, "service_unavailable", "HTTP 503")
    return Diagnosis(Situation.FINAL, "not_winrm", f"HTTP {status}")


def _connection(error: requests.RequestException) -> Diagnosis:  # noqa: PLR0911  (a row for each kind)
    for part in _chain(error):
        if isinstance(part, ssl.SSLCertVerificationError):
            return Diagnosis(Situation.FINAL, "tls_untrusted", untrusted_because(part))
        if isinstance(part, BadStatusLine) and type(part) is BadStatusLine:
            return Diagnosis(Situation.FINAL, "not_winrm", "its answer is not HTTP")
    if isinstance(error, requests.exceptions.SSLError):
        if "fingerprint" in str(error).lower():
            return Diagnosis(Situation.FINAL, "tls_untrusted", "it is not the pinned certificate")
        return Diagnosis(Situation.FINAL, "tls_protocol_mismatch")
    if isinstance(error, requests.exceptions.ProxyError):
        return Diagnosis(Situation.FINAL, "not_winrm", "a proxy answered")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Diagnosis(Situation.LOST, "unreachable", "no answer to the connection")
    if isinstance(error, requests.exceptions.ReadTimeout):
        return Diagnosis(Situation.SILENT, "unreachable", "connected, but no answer came")
    return Diagnosis(Situation.LOST, "unreachable", _short(error))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and everything wrapped inside of it, as urllib3 and requests nest them."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        part = waiting.pop()
        if isinstance(part, BaseException) and part not in found:
            found.append(part)
            waiting += [*part.args, part.__cause__, part.__context__, getattr(part, "reason", None)]
    return found


def _short(error: BaseException) -> str:
    """The innermost reason, without urllib3's nested representations."""
    reasons = [part for part in _chain(error) if isinstance(part, OSError) and part.strerror]
    return reasons[-1].strerror or "connection lost" if reasons else "the connection was closed"
