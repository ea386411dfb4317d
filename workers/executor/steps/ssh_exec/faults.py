"""From what went wrong while connecting to the typed cause a person reads."""

import socket
from dataclasses import dataclass

import asyncssh

from workers.executor.steps.base import OpenedCredential, StepFault, TargetView


@dataclass(slots=True)
class Seen:
    """What a connection attempt learnt before it failed."""

    shown_key: asyncssh.SSHKey | None = None
    spoke_ssh: bool = False
    greeting: bytes = b""
    """What a server said that did not speak SSH; empty when it said nothing."""
    nothing_in_common: str = ""
    """Why no connection can be encrypted, where a closer look has told."""
    asked_for_secret: bool = False
    """The server let us try the password or the key."""


def words(target: TargetView, credential: OpenedCredential | None, detail: object = "") -> dict[str, object]:
    """What fills the placeholders of a cause's texts."""
    user = credential.username if credential else ""
    return {"host": target.hostname, "port": target.ssh.port, "user": user, "detail": detail}


def fault(
    code: str,
    target: TargetView,
    credential: OpenedCredential | None,
    detail: object = "",
    *,
    acted: bool = False,
) -> StepFault:
    return StepFault(code, acted=acted, **words(target, credential, detail))


def said_by(error: Exception) -> str:
    """In words: why a host did not do what it was asked for in good time."""
    if isinstance(error, StepFault):
        return error.message
    return str(error) or "no answer in time"


def connect_fault(
    error: Exception, target: TargetView, credential: OpenedCredential | None, seen: Seen, *, pinned: bool
) -> StepFault:
    """The cause behind an exception of asyncssh's connect."""
    code, detail = _code_and_detail(error, credential, seen, pinned=pinned)
    return fault(code, target, credential, detail)


def _code_and_detail(
    error: Exception, credential: OpenedCredential | None, seen: Seen, *, pinned: bool
) -> tuple[str, str]:
    if told := _told_by_a_closer_look(seen):
        return told
    if isinstance(error, asyncssh.Error):
        return _ssh_error(error, credential, seen, pinned=pinned)
    match error:
        case socket.gaierror():
            return "name_unresolved", ""
        case TimeoutError():
            stage = "it began to answer, but the login did not end" if seen.spoke_ssh else "no answer"
            return "unreachable", f"{stage} in time"
        case OSError():
            return "unreachable", error.strerror or str(error)
        case _:
            return "internal", f"{type(error).__name__} while connecting"


def _told_by_a_closer_look(seen: Seen) -> tuple[str, str] | None:
    if seen.greeting:
        line = seen.greeting.splitlines()[0][:80].decode("ascii", errors="replace")
        return "not_ssh", f"it said {line!r}"
    if seen.nothing_in_common:
        return "ssh_algorithms", seen.nothing_in_common
    return None


def _ssh_error(
    error: asyncssh.Error, credential: OpenedCredential | None, seen: Seen, *, pinned: bool
) -> tuple[str, str]:
    match error:
        case asyncssh.HostKeyNotVerifiable() if seen.shown_key is not None:
            shown = f"{seen.shown_key.get_algorithm()} {seen.shown_key.get_fingerprint()}"
            return ("host_key_mismatch" if pinned else "host_key_unknown"), shown
        case asyncssh.ChannelOpenError():
            return _not_passed_on(error)
        case asyncssh.PermissionDenied():
            return _rejection(credential, seen)
        case asyncssh.KeyExchangeFailed():
            return "ssh_algorithms", error.reason
        case asyncssh.ProtocolError() | asyncssh.ProtocolNotSupported() if not seen.spoke_ssh:
            return "not_ssh", error.reason
        case _:
            # A busy sshd (MaxStartups) closes without a word, too: that may be better in a while.
            return "unreachable", error.reason or "it closed the connection before the login"


def _not_passed_on(error: asyncssh.ChannelOpenError) -> tuple[str, str]:
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return "jump_refused", error.reason
    return "unreachable", f"asked from the jump host: {error.reason or 'no connection'}"


def _rejection(credential: OpenedCredential | None, seen: Seen) -> tuple[str, str]:
    what = "key" if credential is not None and "private_key" in credential.secrets else "password"
    if not seen.asked_for_secret:
        return "auth_unsupported", f"no {what} logins for this user"
    return "auth_rejected", f"the {what} was not accepted"
