"""Running a shell text on a channel, as the account itself or as somebody else through sudo.

The password goes to sudo's own prompt on stdin, at most once, and only when sudo asks. The whole wrapper runs
under sudo, not only the script: its folder belongs to that user, and stopping, re-attaching and cleaning up
have the same rights as the command. The text travels over stdin, so that sudo's log keeps to one short line.
"""

import asyncio
import re

from contracts.jobs.steps import SudoAs
from workers.executor.steps.base import StepFault
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.marks import Mark
from workers.executor.steps.ssh_exec.shell_text import ShellText
from workers.executor.steps.ssh_exec.wire import Wire

ANSWER_SECONDS = 30.0
"""For sudo to ask, to judge a password (PAM waits two seconds over a wrong one), or to begin."""
PROMPT = b"ops-sudo-password:"
READY = b"ops-sudo-ready\n"
_BEGIN = 'echo ops-sudo-ready; cd 2>/dev/null || cd /; IFS= read -r ops; eval "$ops"'

_REFUSALS = (
    (
        "sudo_missing",
        re.compile(rb"sudo: .*not found|Unknown command.*sudo", re.I),
    ),
    ("sudo_tty", re.compile(rb"must have a tty|a terminal is required|no tty present", re.I)),
    ("sudo_rejected", re.compile(rb"incorrect password|try again", re.I)),
)

_BESIDE_THE_POINT = re.compile(r"unable to resolve host|error initializing audit plugin")
"""What sudo says besides: of this machine's own name, and that it has failed after having said why."""


async def open_wire(
    lease: Lease, text: ShellText, sudo: SudoAs | None, *, spare: bool = False, reuse: bool = False
) -> Wire:
    """A channel whose other end is `text`. Raises `StepFault`, with a cause of its own where sudo refuses.

    `reuse`: one that waits for its next attempt will do, and this one may wait for its next afterwards; never
    under sudo, which judges and logs each of them.
    """
    if sudo is None and reuse:
        return await Wire.reuse(lease, text.command)
    if sudo is None:
        return await Wire.open(lease, text.command, spare=spare)
    wire = await Wire.open(lease, command_of(sudo), spare=spare)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await _let_in(wire, lease)
        wire.send(text.line)
    except TimeoutError:
        wire.close()
        raise fault("sudo_denied", lease.target, lease.credential, "no answer from sudo in time") from None
    except BaseException:
        wire.close()
        raise
    return wire


def command_of(sudo: SudoAs) -> str:
    """`-k`: a password remembered from earlier is not used, so that it is asked for always or never."""
    return f"exec sudo -k -S -H -p {PROMPT.decode()} -u {sudo.user} -- /bin/sh -c '{_BEGIN}'"


async def _let_in(wire: Wire, lease: Lease) -> None:
    """Answer sudo's prompt, once. Raises `StepFault`, or `ChannelClosed` when the connection is lost."""
    out, err = b"", b""
    secrets = lease.credential.secrets
    password = secrets.get("sudo_password") or secrets.get("password")
    asked = False
    while READY not in out:
        try:
            stream, found = await wire.next()
        except ChannelClosed as closed:
            if closed.reason:
                raise
            raise _refusal(lease, err) from None
        if isinstance(found, Mark):
            continue
        if stream == "stdout":
            out = (out + found)[-4096:]
            continue
        err += found
        if PROMPT in err:
            if asked:
                raise fault("sudo_rejected", lease.target, lease.credential, "it was not accepted")
            if password is None:
                raise fault("sudo_password_missing", lease.target, lease.credential)
            wire.send(password)
            asked, err = True, err.replace(PROMPT, b"")


def _refusal(lease: Lease, said: bytes) -> StepFault:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    own = [line for line in lines if "sudo" in line and not _BESIDE_THE_POINT.search(line)]
    told = next(reversed(own), lines[-1] if lines else "no word of why")
    code = next((code for code, pattern in _REFUSALS if pattern.search(said)), "sudo_denied")
    return fault(code, lease.target, lease.credential, told.removeprefix("sudo: ")[:300])
