"""What can keep a command from doing what it was asked, in words that tell what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from cli import exits

_REFUSED_BELOW = 500
UNAVAILABLE = {502, 503, 504}


class CliError(Exception):
    """Ends a command with `exit_code`; `hints` say what to do, one a line."""

    def __init__(self, message: str, *, hints: Sequence[str] = (), exit_code: int = exits.USAGE) -> None:
        super().__init__(message)
        self.hints = tuple(hints)
        self.exit_code = exit_code


class Unreachable(CliError):
    """Nobody answers there, or nobody who can be trusted."""

    def __init__(self, url: str, reason: str) -> None:
        message, hint = _why_not(url, reason)
        super().__init__(message, hints=(hint,), exit_code=exits.FAILED)


def _why_not(url: str, reason: str) -> tuple[str, str]:
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        why = reason.rpartition("verify failed: ")[2].partition(" (_ssl")[0]
        message = f"The certificate of {url} is not trusted here ({why})."
        if "mismatch" in reason:
            return message, "Use a name in --url that the certificate is made out to."
        return message, f"Get it or its authority's, and: opsconductor login --url {url} --ca-file FILE"
    if "WRONG_VERSION_NUMBER" in reason:
        return f"What answers at {url} does not speak https.", "Is it http://, or another port?"
    return (
        f"OpsConductor does not answer at {url} ({reason}).",
        "Is it running? Start it with `make up` or `opsconductor up`; another address: --url.",
    )


class NotOpsConductor(CliError):
    """Something answers, but not this product."""

    def __init__(self, answer: httpx2.Response) -> None:
        server = _server(answer.request.url)
        if answer.is_redirect:
            there = _server(answer.request.url.join(answer.headers.get("location", "/")))
            super().__init__(f"{server} sends on to {there}.", hints=(f"Use that address: --url {there}",))
            return
        super().__init__(
            f"What answers at {server} ({answer.status_code}) is not OpsConductor.",
            hints=("Is the address right? See --url, OPS_URL and `opsconductor context list`.",),
        )


def _server(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


class NotSignedIn(CliError):
    """There is no usable session for this address."""

    def __init__(self, url: str, sign_in: str, why: str = "You are not signed in") -> None:
        super().__init__(f"{why} at {url}.", hints=(f"Sign in: {sign_in}",))


class ApiProblem(CliError):
    """A problem document of the gateway (RFC 9457). Wrong requests exit with 2, what failed there with 1."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(document.get("code", "unknown"))
        detail = document.get("detail") or document.get("title") or f"The gateway answered {status}."
        super().__init__(
            str(detail),
            hints=tuple(_lines(status, self.code, document)),
            exit_code=exits.USAGE if status < _REFUSED_BELOW else exits.FAILED,
        )


def _lines(status: int, code: str, document: Mapping[str, Any]) -> list[str]:
    lines = [_reason(error) for error in document.get("errors", [])]
    lines += _ADVICE.get(code, _BY_STATUS.get(status, []))
    if status >= _REFUSED_BELOW and (request_id := document.get("request_id")):
        lines.append(f"In the gateway's log it is request {request_id}.")
    return lines


def _reason(error: Mapping[str, Any]) -> str:
    line = f", line {error['line']}" if error.get("line") else ""
    return f"{error.get('field', '?')}{line}: {error.get('reason', 'is not valid')}"


_ADVICE = {
    "job_inactive": ["Activate the job first."],
    "password_change_required": ["Choose a password of your own: opsconductor password"],
    "stale_edit": ["Read it again and repeat the change."],
}
_BY_STATUS = {
    403: ["Ask an administrator for a role that may do this."],
    429: ["Too many attempts: wait a minute."],
}


def raise_problem(answer: httpx2.Response) -> None:
    """Raises `ApiProblem` for an answer that is an error, `NotOpsConductor` for one of somebody else."""
    if answer.is_success:
        return
    try:
        document = answer.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and "code" in document:
        raise ApiProblem(answer.status_code, document)
    if answer.status_code in UNAVAILABLE:  # a proxy in front of it, of which it is the only word
        raise ApiProblem(answer.status_code, {})
    raise NotOpsConductor(answer)


def document_of(answer: httpx2.Response) -> Any:
    """The JSON of an answer; raises `NotOpsConductor` where there is none."""
    try:
        return answer.json()
    except ValueError:
        raise NotOpsConductor(answer) from None
