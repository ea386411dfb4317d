"""Answers that a simulated host gives on demand instead of, or after, what was asked for.

Sources: the fault codes of MS-WSMV 2.2.4.43 (WSManFault) and its product notes, as the recorded exchanges in
the test suites of pywinrm and pypsrp show them; HTTP statuses as HTTP.sys and the WinRM service send them.
"""

from collections import deque
from dataclasses import dataclass, field

from infra.sandbox.windows import http, soap

HTML = b"<html><body>Nothing to see here</body></html>"
ACCESS_DENIED = 5
BUSY = 170
COMMAND_LINE_TOO_LONG = 2147942606
FILE_NOT_FOUND = 2147942402
USER_QUOTA = 2150859172


@dataclass(frozen=True, slots=True)
class Plain:
    """An HTTP answer that is no WS-Management, as a proxy, another web server or HTTP.sys gives it."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"

    def render(self) -> bytes:
        return http.render(self.status, self.body, (("Content-Type", self.content_type),))


Misbehaviour = soap.Fault | Plain


@dataclass(slots=True)
class Plan:
    """What goes wrong next, for each action (Create, Command, Send, Receive, Signal, Delete)."""

    _waiting: dict[str, deque[Misbehaviour]] = field(default_factory=dict)

    def answer(self, action: str, *answers: Misbehaviour) -> None:
        """Give these answers to the next requests of this action, one each; nothing is done for them."""
        self._waiting.setdefault(action, deque()).extend(answers)

    def take(self, action: str) -> Misbehaviour | None:
        waiting = self._waiting.get(action)
        return waiting.popleft() if waiting else None


def access_denied() -> soap.Fault:
    """The login is right, but the account may not use WinRM (MS-WSMV 3.1.4.1.30, `w:AccessDenied`)."""
    return soap.Fault(ACCESS_DENIED, "Access is denied.", subcode="w:AccessDenied")


def shell_quota() -> soap.Fault:
    """MaxShellsPerUser (MS-WSMV 3.1.4.5.2.1, ERROR_WSMAN_QUOTA_MAX_SHELLS)."""
    reason = "The maximum number of concurrent shells for this user has been exceeded."
    return soap.Fault(soap.SHELL_QUOTA, reason, subcode="w:QuotaLimit")


def user_quota() -> soap.Fault:
    """MaxConcurrentUsers (MS-WSMV 3.1.4.5.2.1)."""
    reason = "The maximum number of users executing shell operations has been exceeded."
    return soap.Fault(USER_QUOTA, reason, subcode="w:QuotaLimit")


def operation_quota() -> soap.Fault:
    """MaxConcurrentOperationsPerUser, which Terminate does not give back (MS-WSMV, note 118)."""
    reason = "The maximum number of concurrent operations for this user has been exceeded."
    return soap.Fault(soap.TOO_MANY_OPERATIONS, reason, subcode="w:QuotaLimit")


def commands_per_shell() -> soap.Fault:
    """A quota without a code of its own, as pypsrp met it."""
    reason = "The maximum number of commands per shell for this user has been exceeded."
    return soap.Fault(0, reason, subcode="w:InternalError")


def command_line_too_long() -> soap.Fault:
    return soap.Fault(COMMAND_LINE_TOO_LONG, "The filename or extension is too long.")


def program_not_found() -> soap.Fault:
    return soap.Fault(FILE_NOT_FOUND, "The system cannot find the file specified.")


def busy() -> soap.Fault:
    """On Send, while the command does not read (ERROR_BUSY)."""
    return soap.Fault(BUSY, "The requested resource is in use.")


def pipe_ended() -> soap.Fault:
    return soap.Fault(soap.PIPE_ENDED, "The pipe has been ended.")


def timed_out() -> soap.Fault:
    """OperationTimeout without anything to say (MS-WSMV 3.1.4.14)."""
    reason = "The WS-Management service cannot complete the operation within the time specified."
    return soap.Fault(soap.OPERATION_TIMED_OUT, reason, subcode="w:TimedOut")


def shell_not_found() -> soap.Fault:
    reason = "The request for the Windows Remote Shell failed because the shell was not found on the server."
    return soap.Fault(soap.SHELL_NOT_FOUND, reason, subcode="w:InvalidSelectors")


def aborted() -> soap.Fault:
    reason = "The I/O operation has been aborted because of either a thread exit or an application request."
    return soap.Fault(soap.OPERATION_ABORTED, reason)


def html(status: int = 200) -> Plain:
    """What another web server or a proxy answers."""
    return Plain(status, HTML)
