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

from infra.blocking import RanOut
from workers.executor.steps.winrm.tls import untrusted_because

AUTH_REJECTED_DETAIL = "the user or password is wrong, or the account is locked, disabled or expired"
TLS_ENDS_BETWEEN = "; or TLS ends at a machine in between (channel binding, CbtHardeningLevel)"
BOUND_TO_TLS = {"ntlm", "kerberos", "credssp"}
OFFERS = {
    "basic": {"basic"},
    "ntlm": {"ntlm", "negotiate"},
    "kerberos": {"kerberos", "negotiate"},
    "credssp": {"credssp"},
}
"""Schemes of WWW-Authenticate that a transport can answer; a certificate is shown without being asked."""
KERBEROS_SIGNS = (
    ("server not found in kerberos database", "there is no SPN HTTP/ for this name"),
    ("clock skew", "the clocks differ by more than five minutes"),
    ("cannot find kdc", "no KDC is known for the realm (krb5.conf or DNS)"),
    ("no kerberos credentials", "the ticket cache holds no ticket (kinit)"),
    ("credentials cache", "the ticket cache holds no ticket (kinit)"),
    ("ticket expired", "the ticket has expired (kinit)"),
)


class Situation(Enum):
    """What to do about it; all but FINAL are handled inside of the plug-in."""

    FINAL = auto()
    LOST = auto()
    """The connection or its security context is gone: connect again and go on with the same command."""
    SILENT = auto()
    """Connected, but no answer within the read time-out."""
    BUSY = auto()
    """Not now: wait and ask again."""
    FULL = auto()
    """No room now (quota, starting up): a new shell may succeed later, and a running command is not hurt."""
    PIPE_ENDED = auto()
    """The command's stdin is closed."""
    VANISHED = auto()
    """The shell or the command is unknown to the host."""
    TAKEN = auto()
    """There is a shell of that id."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`code` is a key of the catalogue of causes, `detail` fills its placeholder."""

    situation: Situation
    code: str
    detail: str = ""


CERTIFICATE_REFUSED = Diagnosis(
    Situation.FINAL, "auth_rejected", "the certificate is mapped to no account, or not trusted there"
)
"""Also where a host hangs up on a client that shows one, though it talks TLS with others."""

FAULTS: dict[int, tuple[Situation, str]] = {
    5: (Situation.FINAL, "access_denied"),
    109: (Situation.PIPE_ENDED, "connection_lost"),
    170: (Situation.BUSY, "connection_lost"),
    232: (Situation.PIPE_ENDED, "connection_lost"),
    995: (Situation.VANISHED, "shell_vanished"),
    2147942402: (Situation.FINAL, "program_not_found"),
    2147942606: (Situation.FINAL, "command_line_too_long"),
    2150858793: (Situation.BUSY, "connection_lost"),
    2150858803: (Situation.TAKEN, "remote_fault"),
    2150858843: (Situation.VANISHED, "shell_vanished"),
    2150859047: (Situation.BUSY, "connection_lost"),
    2150859172: (Situation.FULL, "quota"),
    2150859173: (Situation.FULL, "quota"),
    2150859174: (Situation.FULL, "quota"),
}
"""WSManFault codes (wsmerror.h) and Win32 codes that a shell operation answers with."""

SUBCODES = {
    "AccessDenied": (Situation.FINAL, "access_denied"),
    "AlreadyExists": (Situation.TAKEN, "remote_fault"),
    "QuotaLimit": (Situation.FULL, "quota"),
}
TEXTS = ("maximum number of concurrent", "commands per shell", "maximum number of users")
"""Quotas whose fault has no code of its own: parts of the text of an English host."""
PROXY_STATUS = (requests.codes.proxy_authentication_required, requests.codes.bad_gateway)
CREDSSP_REFUSALS = {"AuthenticationException", "NTStatusException"}
KERBEROS_ERRORS = {"GSSError", "KrbError", "KerberosExchangeError", "MutualAuthenticationError"}
"""By name: their modules are there only where the package is installed."""
NOT_WINRM: tuple[type[BaseException], ...] = (
    AttributeError,  # requests_ntlm never got a challenge: the server answered without asking for a login
    KeyError,  # an answer without the headers or nodes of WS-Management
    RanOut,
    ET.ParseError,
    UnicodeDecodeError,
    ValueError,
    WinRMError,
)


def diagnose(  # noqa: PLR0911  (a row for each kind of error)
    error: BaseException, *, transport: str, offered: Sequence[str], tls: bool = False
) -> Diagnosis:
    """`offered`: what the host's last WWW-Authenticate header named."""
    if isinstance(error, AuthenticationError) or type(error).__name__ in CREDSSP_REFUSALS:
        return _rejected(transport, offered, tls=tls)
    if transport == "certificate" and _refuses_certificate(error):
        return _rejected(transport, (), tls=tls)
    if isinstance(error, WinRMError) and "not installed" in str(error):
        return Diagnosis(Situation.FINAL, "transport_not_installed", transport)
    if type(error).__name__ in KERBEROS_ERRORS:
        return _kerberos(error)
    if isinstance(error, PermissionError | spnego.exceptions.SpnegoError):
        return Diagnosis(
            Situation.FINAL, "auth_unsupported", f"it did not answer the handshake of {transport}"
        )
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


def _refuses_certificate(error: BaseException) -> bool:
    """HTTP 403, or a handshake that only fails where a certificate is shown: the check before showed none."""
    if isinstance(error, WinRMTransportError):
        return bool(error.code == requests.codes.forbidden)
    hung_up = isinstance(error, requests.exceptions.SSLError)
    return hung_up and any(sign in str(error).upper() for sign in ("ALERT", "EOF OCCURRED"))


def fits(transport: str, offered: Sequence[str]) -> bool:
    """Whether a login over `transport` can use one of the schemes a host offers."""
    usable = OFFERS.get(transport)
    return usable is None or bool(usable & {scheme.lower() for scheme in offered})


def _rejected(transport: str, offered: Sequence[str], *, tls: bool) -> Diagnosis:
    if offered and not fits(transport, offered):
        detail = f"it offers {', '.join(offered)}, the target is set to {transport}"
        return Diagnosis(Situation.FINAL, "auth_unsupported", detail)
    if transport == "certificate":
        return CERTIFICATE_REFUSED
    between = TLS_ENDS_BETWEEN if tls and transport in BOUND_TO_TLS else ""
    return Diagnosis(Situation.FINAL, "auth_rejected", AUTH_REJECTED_DETAIL + between)


def _kerberos(error: BaseException) -> Diagnosis:
    text = str(error)
    known = [meaning for sign, meaning in KERBEROS_SIGNS if sign in text.lower()]
    return Diagnosis(Situation.FINAL, "kerberos_failed", known[0] if known else text[:200])


def _fault(error: WSManFaultError) -> Diagnosis:
    reason = " ".join(str(error.reason).split())
    known = FAULTS.get(error.wsman_fault_code or error.wmierror_code or 0)
    known = known or SUBCODES.get((error.fault_subcode or "").rpartition(":")[2])
    if known is None and any(text in reason.lower() for text in TEXTS):
        known = (Situation.FULL, "quota")
    if known is None:
        return Diagnosis(Situation.FINAL, "remote_fault", f"{reason} (fault {error.wsman_fault_code})")
    return Diagnosis(known[0], known[1], reason)


def _status(error: WinRMTransportError) -> Diagnosis:
    status = error.code
    if status == requests.codes.bad_request:
        return Diagnosis(Situation.LOST, "connection_lost", "HTTP 400: security context lost")
    if status == requests.codes.internal_server_error and not error.response_text:
        return Diagnosis(Situation.FINAL, "encryption_required")
    if status == requests.codes.request_entity_too_large:
        return Diagnosis(Situation.FINAL, "message_too_large")
    if status == requests.codes.service_unavailable:
        return Diagnosis(Situation.FULL, "service_unavailable", "HTTP 503")
    if status in PROXY_STATUS:
        return Diagnosis(Situation.FINAL, "proxy_answered", f"HTTP {status}")
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
        return Diagnosis(Situation.FINAL, "proxy_answered", _short(error))
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
