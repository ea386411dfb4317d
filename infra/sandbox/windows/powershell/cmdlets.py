"""The commands that the simulated PowerShell knows, and how one is called."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.sandbox.windows import batch
from infra.sandbox.windows.powershell import cim, files
from infra.sandbox.windows.powershell.syntax import Invocation, Node, Parameter, ScriptBlock
from infra.sandbox.windows.powershell.values import PowerShellError, as_list, number, text, truth
from infra.sandbox.windows.services import Service

if TYPE_CHECKING:
    from infra.sandbox.windows.powershell.interpreter import Emit, Session

SWITCHES = {"force", "passthru", "nonewline", "noenumerate", "wait", "nonewwindow", "confirm", "verbose"}
SWITCHES |= {"raw"}
ALIASES = {"echo": "write-output", "write": "write-output", "sleep": "start-sleep", "%": "foreach-object"}
ALIASES |= {"foreach": "foreach-object", "?": "where-object", "where": "where-object", "gsv": "get-service"}
ALIASES |= {
    "sasv": "start-service",
    "spsv": "stop-service",
    "start": "start-process",
    "saps": "start-process",
}
ALIASES |= {"gps": "get-process", "ps": "get-process", "pwd": "get-location"}
ALIASES |= {"gc": "get-content", "cat": "get-content", "type": "get-content"}
PROGRAMS = {"hostname", "whoami", "ping", "cmd", "ver"}


@dataclass(frozen=True, slots=True)
class Call:
    """One command with its arguments evaluated."""

    session: "Session"
    name: str
    words: list[object]
    named: Mapping[str, object]
    emit: "Emit"
    source: str

    def argument(self, name: str, position: int = 0) -> object:
        """By name, or by position among the unnamed ones; None when neither was given."""
        if name in self.named:
            return self.named[name]
        return self.words[position] if position < len(self.words) else None

    async def fail(self, message: str, kind: str) -> None:
        await self.session.fail(f"{self.name} : {message}", kind, self.source)


def category(kind: str) -> str:
    if kind == "CommandNotFoundException":
        return "ObjectNotFound: (:String) []"
    return "ParserError: (:) []" if kind == "ParserError" else "NotSpecified: (:) []"


async def invoke(
    session: "Session", invocation: Invocation, emit: "Emit", *, extra: tuple[object, ...] = ()
) -> None:
    """Run one command; what it does not find is CommandNotFoundException, and the script goes on."""
    target = await session.evaluate(invocation.name)
    session.ok = True
    if isinstance(target, ScriptBlock):
        await session.block(target.block, emit)
        return
    name = text(target)
    words, named = await _arguments(session, invocation)
    call = Call(session, name, [*words, *extra], named, _quiet(emit, invocation.quiet), invocation.text)
    quiet = text(named.get("erroraction", "")).lower()
    preference = session.variables["erroractionpreference"]
    if quiet or invocation.quiet & {"2", "*"}:
        session.variables["erroractionpreference"] = quiet or "SilentlyContinue"
    try:
        await _run(call)
    finally:
        session.variables["erroractionpreference"] = preference


async def _run(call: Call) -> None:
    key = call.name.lower().removesuffix(".exe").rsplit("\\", 1)[-1]
    function = COMMANDS.get(ALIASES.get(key, key))
    if function is not None:
        await function(call)
    elif key in PROGRAMS:
        await _program(call, key)
    else:
        await call.fail(
            f"The term '{call.name}' is not recognized as the name of a cmdlet, function, script file, or "
            "operable program. Check the spelling of the name, or if a path was included, verify that the "
            "path is correct and try again.",
            "CommandNotFoundException",
        )


async def stage(session: "Session", element: Node | Invocation, into: "Emit") -> "Emit":
    """A later element of a pipeline: called with each object that the element before it emits."""
    if not isinstance(element, Invocation):
        raise PowerShellError("Expressions are only allowed as the first element of a pipeline.")
    name = text(await session.evaluate(element.name)).lower()
    name = ALIASES.get(name, name)

    async def each(item: object) -> None:
        session.variables["_"] = item
        if name in {"out-null", "foreach-object", "where-object"}:
            block = next((one for one in element.arguments if isinstance(one, ScriptBlock)), None)
            if name == "foreach-object" and block is not None:
                await session.block(block.block, into)
            elif (
                name == "where-object"
                and block is not None
                and truth(await session.value_of_block(block.block))
            ):
                await into(item)
        elif name in {"out-default", "out-host", "out-string", "write-output"}:
            await into(item)
        else:
            given = item.name if isinstance(item, Service) else item
            await invoke(session, element, into, extra=(given,))

    return each


def _quiet(emit: "Emit", streams: frozenset[str]) -> "Emit":
    async def nothing(_: object) -> None:
        return None

    return nothing if streams & {"1", "*"} else emit


async def _arguments(session: "Session", invocation: Invocation) -> tuple[list[object], dict[str, object]]:
    words: list[object] = []
    named: dict[str, object] = {}
    waiting: str | None = None
    for argument in invocation.arguments:
        if isinstance(argument, Parameter):
            waiting = None if argument.name in SWITCHES or argument.value is not None else argument.name
            named[argument.name] = await session.evaluate(argument.value) if argument.value else True
            if waiting:
                words.append(f"-{argument.name}")
            continue
        value = await session.evaluate(argument)
        if waiting is not None:
            named[waiting] = value
            if words and words[-1] == f"-{waiting}":
                words.pop()
            waiting = None
        else:
            words.append(value)
    return words, named


# -- output


async def _write_output(call: Call) -> None:
    for word in [*call.words, *([call.named["inputobject"]] if "inputobject" in call.named else [])]:
        for item in as_list(word):
            await call.emit(item)


async def _write_host(call: Call) -> None:
    words = [*call.words, *([call.named["object"]] if "object" in call.named else [])]
    line = " ".join(text(word) for word in words) + ("" if "nonewline" in call.named else "\r\n")
    await call.session.system.write("stdout", line.encode())


async def _write_error(call: Call) -> None:
    await call.fail(text(call.argument("message")), "Microsoft.PowerShell.Commands.WriteErrorException")


async def _write_warning(call: Call) -> None:
    line = f"WARNING: {text(call.argument('message'))}\r\n"
    await call.session.system.write("stdout", line.encode())


async def _write_progress(call: Call) -> None:
    await call.session.errors.progress(text(call.argument("activity")), "Processing")


async def _nothing(_call: Call) -> None:
    return None


# -- services, processes, time


async def _services(call: Call) -> list[Service]:
    """The services named; an error for each that does not exist."""
    wanted = call.argument("name")
    table = call.session.system.services
    if wanted is None:
        return table.all()
    found: list[Service] = []
    for name in as_list(wanted):
        service = name if isinstance(name, Service) else table.find(text(name))
        if service is None:
            await call.fail(
                f"Cannot find any service with service name '{text(name)}'.",
                "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand",
            )
        else:
            found.append(service)
    return found


async def _get_service(call: Call) -> None:
    for service in await _services(call):
        await call.emit(service)


async def _change_service(call: Call) -> None:
    verb = call.name.lower()
    for service in await _services(call):
        service.status = "Stopped" if verb in {"stop-service", "spsv"} else "Running"
        service.restarts += verb == "restart-service"
        if "passthru" in call.named:
            await call.emit(service)


async def _start_sleep(call: Call) -> None:
    milliseconds = call.named.get("milliseconds", call.named.get("m"))
    seconds = call.named.get("seconds", call.named.get("s", call.words[0] if call.words else 0))
    await asyncio.sleep(number(milliseconds) / 1000 if milliseconds is not None else number(seconds))


async def _start_process(call: Call) -> None:
    path = call.argument("filepath")
    rest = [text(word) for word in as_list(call.argument("argumentlist", 1))]
    process = call.session.system.start_process([text(path), *rest])
    if "wait" in call.named and process.task is not None:
        await asyncio.wait([process.task])


async def _get_process(call: Call) -> None:
    wanted = text(call.argument("name")).lower()
    for process in call.session.system.processes():
        if not wanted or process.name.lower().startswith(wanted):
            await call.emit({"Id": process.id, "ProcessName": process.name})


async def _get_location(call: Call) -> None:
    await call.emit(call.session.system.folder)


async def _program(call: Call, key: str) -> None:
    """A native program: bytes go to the streams, its exit code to $LASTEXITCODE."""
    words = [text(word) for word in call.words]
    if key == "cmd":
        words = words[1:] if words and words[0].lower() in {"/c", "/k"} else words
        code = await batch.run(" ".join(words), call.session.system, delayed=False)
    else:
        lines: list[str] = []

        async def collect(_stream: str, data: bytes) -> None:
            lines.extend(data.decode().splitlines())

        code = await batch.run_program(key, words, call.session.system, collect)
        for line in lines:
            await call.emit(line)
    call.session.variables["lastexitcode"] = code
    call.session.ok = code == 0


COMMANDS: dict[str, Callable[[Call], Awaitable[None]]] = {
    "write-output": _write_output,
    "write-host": _write_host,
    "write-error": _write_error,
    "write-warning": _write_warning,
    "write-progress": _write_progress,
    "write-verbose": _nothing,
    "write-debug": _nothing,
    "set-strictmode": _nothing,
    "import-module": _nothing,
    "out-null": _nothing,
    "get-content": files.get_content,
    "get-ciminstance": cim.get_cim_instance,
    "shutdown": cim.shutdown,
    "get-service": _get_service,
    "start-service": _change_service,
    "stop-service": _change_service,
    "restart-service": _change_service,
    "start-sleep": _start_sleep,
    "start-process": _start_process,
    "get-process": _get_process,
    "get-location": _get_location,
}
