"""Properties, methods and static members that scripts of the demos and tests use."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.sandbox.windows.powershell.values import (
    FLOAT_TYPES,
    INTEGER_TYPES,
    PowerShellError,
    as_list,
    cast,
    number,
    text,
)
from infra.sandbox.windows.services import Service
from infra.sandbox.windows.system import System

Write = Callable[[str, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ConsoleStream:
    """`[Console]::Out`, `[Console]::Error` and the raw streams behind them."""

    name: str
    raw: bool = False


@dataclass(frozen=True, slots=True)
class ConsoleInput:
    """`[Console]::In`"""

    data: bytes


@dataclass(frozen=True, slots=True)
class Encoding:
    codec: str


ENCODINGS = {"utf8": "utf-8", "unicode": "utf-16-le", "ascii": "ascii", "default": "cp1252"}
TEXT_METHODS: dict[str, Callable[[str, list[object]], object]] = {
    "tostring": lambda value, _: value,
    "toupper": lambda value, _: value.upper(),
    "tolower": lambda value, _: value.lower(),
    "trim": lambda value, _: value.strip(),
    "trimend": lambda value, _: value.rstrip(),
    "replace": lambda value, given: value.replace(text(given[0]), text(given[1])),
    "split": lambda value, given: list(value.split(text(given[0]))),
    "startswith": lambda value, given: value.startswith(text(given[0])),
    "endswith": lambda value, given: value.endswith(text(given[0])),
    "contains": lambda value, given: text(given[0]) in value,
    "substring": lambda value, given: value[int(number(given[0])) :][: _length(given)],
    "padleft": lambda value, given: value.rjust(int(number(given[0]))),
}


def _length(given: list[object]) -> int | None:
    return int(number(given[1])) if len(given) > 1 else None


def property_of(value: object, name: str) -> object:
    """None for what does not exist, as PowerShell answers outside of strict mode."""
    if isinstance(value, Service):
        return value.property(name)
    if isinstance(value, Mapping):
        return next((item for key, item in value.items() if str(key).lower() == name), None)
    if name in {"length", "count"} and isinstance(value, str | list | bytes):
        return len(value) if name == "length" or not isinstance(value, str) else 1
    if isinstance(value, list):
        found = [property_of(item, name) for item in value]
        return found if any(item is not None for item in found) else None
    return 1 if name == "count" and value is not None else None


async def call(  # noqa: PLR0911  (a row for each type)
    value: object, name: str, given: list[object], write: Write
) -> object:
    """`value.name(given)`. Raises PowerShellError for a method that is not simulated."""
    if isinstance(value, ConsoleStream):
        await _console(value, name, given, write)
        return None
    if isinstance(value, ConsoleInput) and name == "readtoend":
        return value.data.decode("utf-8", "replace")
    if isinstance(value, Encoding):
        if name == "getstring" and isinstance(given[0], bytes):
            return given[0].decode(value.codec, "replace")
        if name == "getbytes":
            return text(given[0]).encode(value.codec, "replace")
    if isinstance(value, datetime) and name == "touniversaltime":
        return value.astimezone(UTC)
    if isinstance(value, datetime) and name == "tostring" and given == ["o"]:
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}0Z"
    if name == "tostring":
        return text(value)
    if isinstance(value, str) and name in TEXT_METHODS:
        return TEXT_METHODS[name](value, given)
    raise PowerShellError(
        f"Method invocation failed because [{type(value).__name__}] does not contain a method named '{name}' "
        "(in this simulation).",
        kind="MethodNotFound",
    )


async def _console(stream: ConsoleStream, name: str, given: list[object], write: Write) -> None:
    if name in {"flush", "close", "dispose"}:
        return
    if name not in {"write", "writeline"}:
        raise PowerShellError(f"[Console] streams have no method '{name}' in this simulation.")
    if stream.raw:
        data = (
            given[0] if isinstance(given[0], bytes) else bytes(int(number(one)) for one in as_list(given[0]))
        )
        offset, count = (int(number(one)) for one in given[1:3])
        await write(stream.name, data[offset : offset + count])
        return
    line_end = "\r\n" if name == "writeline" else ""
    await write(stream.name, ("".join(text(one) for one in given) + line_end).encode())


async def static(  # noqa: PLR0911  (a row for each type)
    type_name: str, name: str, given: list[object] | None, system: System
) -> object:
    """`[type]::name` or `[type]::name(given)`. Raises PowerShellError for what is not simulated."""
    kind = type_name.removeprefix("system.").removeprefix("io.")
    if kind == "console":
        return await _console_member(name, given, system)
    if kind == "text.encoding" and name in ENCODINGS:
        return Encoding(ENCODINGS[name])
    if kind == "convert" and given is not None:
        if name == "frombase64string":
            return base64.b64decode(text(given[0]))
        if name == "tobase64string" and isinstance(given[0], bytes):
            return base64.b64encode(given[0]).decode()
    if kind == "globalization.cultureinfo":
        return kind
    if name == "parse" and given is not None and kind in INTEGER_TYPES | FLOAT_TYPES:
        return cast(kind, text(given[0]))
    if kind == "environment":
        return _environment(name, given or [], system.environment)
    if kind == "string" and given is not None and name == "isnullorempty":
        return not text(given[0])
    raise PowerShellError(f"[{type_name}]::{name} is not simulated.", kind="MethodNotFound")


async def _console_member(name: str, given: list[object] | None, system: System) -> object:
    if name == "in":
        return ConsoleInput(system.stdin)
    if name in {"out", "error"}:
        return ConsoleStream("stdout" if name == "out" else "stderr")
    if name in {"openstandardoutput", "openstandarderror"}:
        return ConsoleStream("stdout" if name == "openstandardoutput" else "stderr", raw=True)
    if name in {"write", "writeline"}:
        await _console(ConsoleStream("stdout"), name, given or [""], system.write)
        return None
    raise PowerShellError(f"[Console]::{name} is not simulated.", kind="MethodNotFound")


def _environment(name: str, given: list[object], env: dict[str, str]) -> object:
    if name == "machinename":
        return env.get("COMPUTERNAME")
    if name == "username":
        return env.get("USERNAME")
    if name == "newline":
        return "\r\n"
    if name == "getenvironmentvariable":
        return env.get(text(given[0]).upper())
    if name == "setenvironmentvariable":
        env[text(given[0]).upper()] = text(given[1])
        return None
    raise PowerShellError(f"[Environment]::{name} is not simulated.", kind="MethodNotFound")
