"""The beginning of the talk with the wrapper: a new attempt is stored, or an old one found again."""

from collections.abc import Iterator

import structlog

from contracts.jobs.steps import SshCommand
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.elevation import open_wire
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.payload import Payload, runner_of
from workers.executor.steps.ssh_exec.stopper import SWEEP
from workers.executor.steps.ssh_exec.wire import Wire
from workers.executor.steps.ssh_exec.wrapper import RUN

READY_SECONDS = 30.0
"""For the target's shell to answer a new channel."""
STORE_SECONDS = 300.0
"""For the target to take one file of the attempt."""
BY_LINES = 4096
"""Bytes up to which a text is taken by the shell itself; what is larger is worth starting a program for."""

_log = structlog.get_logger(__name__)
_FAULTS = {"workspace": "workspace_unusable", "program": "program_not_found"}
_FORMAT = "%s\\n"


async def look_up(lease: Lease, spec: SshCommand, folder: str) -> tuple[Wire, str]:
    """Find an attempt again: `fresh`, `started`, `vanished` or `missing`, and a wire to go on with.

    Raises `StepFault` when the host cannot be reached or does not answer as a shell.
    """
    wire: Wire | None = None
    try:
        wire = await open_wire(lease, RUN, spec.sudo)
        runner = runner_of(spec)
        wire.send(f"{wire.nonce} old {runner} {runner} {int(spec.pty)}", folder, _FORMAT)
        answer = await wire.answer(within=READY_SECONDS)
    except (ChannelClosed, TimeoutError) as error:
        _close(wire)
        raise fault("unreachable", lease.target, lease.credential, error or "no answer in time") from None
    except BaseException:
        _close(wire)
        raise
    return wire, answer[1]


async def forget(wire: Wire, folder: str) -> None:
    """Remove an attempt that was found to have vanished. Never raises: what stays is logged."""
    try:
        wire.send("drop")
        await wire.answer(within=READY_SECONDS)
    except (ChannelClosed, TimeoutError) as error:
        _log.warning("ssh.folder_left", folder=folder, reason=str(error))


async def sweep(lease: Lease, spec: SshCommand, names: str) -> None:
    """Remove every folder whose name begins with `names` and a dot. Raises `StepFault`."""
    wire: Wire | None = None
    try:
        wire = await open_wire(lease, SWEEP, spec.sudo, spare=True)
        wire.send(f"{wire.nonce} {names}")
        await wire.answer(within=READY_SECONDS)
    except (ChannelClosed, TimeoutError) as error:
        raise fault("unreachable", lease.target, lease.credential, error or "no answer in time") from None
    finally:
        _close(wire)


async def make_ready(
    lease: Lease, spec: SshCommand, payload: Payload, name: str, *, reuse: bool
) -> tuple[Wire, str]:
    """A folder called `name` on the target with all of the payload in it, and a wire to go on with.

    `reuse`: through a wrapper that has served another attempt, when one waits.

    Raises `StepFault`; nothing stays behind then. Raises `ChannelClosed` and `TimeoutError` for a connection
    that broke meanwhile: what was begun under this name is swept by the task's next try.
    """
    wire = await open_wire(lease, RUN, spec.sudo, reuse=reuse)
    try:
        header = f"{wire.nonce} new {payload.runner} {payload.program} {int(payload.pty)}"
        (first, body), *others = _orders(payload)
        wire.send(header, name, _FORMAT, first, body=body)
        _taken, *folder = await _told(wire, lease, within=READY_SECONDS + STORE_SECONDS)
        for order, body in others:
            wire.send(order, body=body)
            await _told(wire, lease, within=STORE_SECONDS)
    except BaseException:
        wire.close()
        raise
    return wire, " ".join(folder)


async def _told(wire: Wire, lease: Lease, *, within: float) -> tuple[str, ...]:
    answer = await wire.answer(within=within)
    if answer[0] == "fault":
        raise fault(_FAULTS[answer[1]], lease.target, lease.credential, " ".join(answer[2:]))
    return answer


def _orders(payload: Payload) -> Iterator[tuple[str, bytes]]:
    for name, data in payload.files.items():
        text = data + b"\n" if name == "script" and not data.endswith(b"\n") else data
        if len(text) <= BY_LINES and text.endswith(b"\n") and b"\0" not in text:
            count = text.count(b"\n")
            yield f"lines {name} {count}", text
        else:
            yield f"bytes {name} {len(data)}", data


def _close(wire: Wire | None) -> None:
    if wire is not None:
        wire.close()
