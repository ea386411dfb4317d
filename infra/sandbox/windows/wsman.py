"""The WS-Management operations on shells: Create, Command, Send, Receive, Signal, Delete (MS-WSMV 3.1.4)."""

import base64
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from infra.sandbox.windows import soap
from infra.sandbox.windows.programs import run_command_line
from infra.sandbox.windows.shells import Shell

if TYPE_CHECKING:
    from infra.sandbox.windows.host import WindowsHost

HEAD_BYTES = 4096
"""Room for everything in an answer that is not output."""
DEFAULT_IDLE_SECONDS = 7200.0


async def answer(host: "WindowsHost", request: soap.Envelope, user: str) -> tuple[int, bytes]:
    """HTTP status and body for one request of an authenticated user."""
    action = request.action.rsplit("/", 1)[-1]
    operation = OPERATIONS.get(action, _unsupported)
    try:
        return 200, await operation(host, request, user)
    except soap.Fault as problem:
        return 500, soap.fault(request, problem)


async def _unsupported(_host: "WindowsHost", request: soap.Envelope, _user: str) -> bytes:
    message = f"{request.action} is not simulated."
    raise soap.Fault(soap.NOT_SUPPORTED, message, subcode="w:UnsupportedFeature")


async def _create(host: "WindowsHost", request: soap.Envelope, user: str) -> bytes:
    if len(host.shells) >= host.max_shells:
        host.refused_shells += 1
        raise soap.Fault(
            soap.SHELL_QUOTA,
            f"The maximum number of concurrent shells for this user has been exceeded ({host.max_shells}).",
            subcode="w:QuotaLimit",
        )
    wanted = _wanted_id(host, request)
    find = request.body.find
    variables = request.body.iter(f"{{{soap.SHELL}}}Variable")
    environment = host.environment | {node.get("Name", ""): node.text or "" for node in variables}
    folder = find(f".//{{{soap.SHELL}}}WorkingDirectory")
    idle = request.body.findtext(f".//{{{soap.SHELL}}}IdleTimeOut")
    shell = Shell(
        user,
        environment,
        (folder.text if folder is not None else None) or environment["USERPROFILE"],
        soap.seconds(idle, DEFAULT_IDLE_SECONDS),
        wanted=wanted,
    )
    host.add_shell(shell)
    return soap.created(request, shell.id, user, shell.idle)


def _wanted_id(host: "WindowsHost", request: soap.Envelope) -> str | None:
    """The id that a client gives its shell, as PowerShell remoting does. Raises Fault when it is taken."""
    shell = request.body.find(f".//{{{soap.SHELL}}}Shell")
    wanted = shell.get("ShellId") if shell is not None and not host.knobs.names_shells_itself else None
    if wanted is not None and wanted.upper() in host.shells:
        reason = "The WS-Management service cannot create the resource because it already exists."
        raise soap.Fault(soap.ALREADY_EXISTS, reason, subcode="w:AlreadyExists")
    return wanted


async def _command(host: "WindowsHost", request: soap.Envelope, _user: str) -> bytes:
    shell = host.shell(request.shell_id)
    line = request.body.findtext(f".//{{{soap.SHELL}}}Command", "")
    arguments = [node.text or "" for node in request.body.iter(f"{{{soap.SHELL}}}Arguments")]
    command = shell.start(
        " ".join([line, *arguments]), lambda command: run_command_line(host, shell, command)
    )
    return soap.command_started(request, command.id)


async def _send(host: "WindowsHost", request: soap.Envelope, _user: str) -> bytes:
    shell = host.shell(request.shell_id)
    for node in request.body.iter(f"{{{soap.SHELL}}}Stream"):
        command = shell.command(node.get("CommandId"))
        end = node.get("End", "false").lower() in {"true", "1"}
        command.feed(base64.b64decode(node.text or ""), end=end)
    return soap.sent(request)


async def _receive(host: "WindowsHost", request: soap.Envelope, _user: str) -> bytes:
    shell = host.shell(request.shell_id)
    desired = request.body.find(f".//{{{soap.SHELL}}}DesiredStream")
    command = shell.command(desired.get("CommandId") if desired is not None else None)
    limit = max(1024, (request.max_envelope - HEAD_BYTES) * 3 // 4)
    frames, exit_code = await command.receive(limit, request.timeout)
    return soap.received(request, command.id, frames, exit_code)


async def _signal(host: "WindowsHost", request: soap.Envelope, _user: str) -> bytes:
    shell = host.shell(request.shell_id)
    node = request.body.find(f".//{{{soap.SHELL}}}Signal")
    command = shell.command(node.get("CommandId") if node is not None else None)
    signal = request.body.findtext(f".//{{{soap.SHELL}}}Code", "").rsplit("/", 1)[-1].lower()
    if signal == "terminate":
        await command.abort()
        del shell.commands[command.id]
    elif signal in {"ctrl_c", "ctrl_break"} and not host.knobs.ignore_ctrl_c:
        await command.interrupt()
    return soap.signalled(request)


async def _delete(host: "WindowsHost", request: soap.Envelope, _user: str) -> bytes:
    await host.remove_shell(host.shell(request.shell_id))
    return soap.deleted(request)


Operation = Callable[["WindowsHost", soap.Envelope, str], Awaitable[bytes]]
OPERATIONS: dict[str, Operation] = {
    "Create": _create,
    "Command": _command,
    "Send": _send,
    "Receive": _receive,
    "Signal": _signal,
    "Delete": _delete,
}
