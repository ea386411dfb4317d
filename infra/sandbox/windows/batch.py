"""A small cmd.exe: the subset of batch language that demos and tests use.

As the real one does, it expands `%NAME%` before it splits a line on `&`, and `!NAME!` after (delayed).
"""

import re
from collections.abc import Awaitable, Callable

from infra.sandbox.windows.system import System, ping_seconds

Write = Callable[[str, bytes], Awaitable[None]]
PERCENT = re.compile(r"%([^%:]+)%")
EXCLAMATION = re.compile(r"!([^!]+)!")
REDIRECTION = re.compile(r"\s*([12]?)>(&[12]|\s*nul\b)", re.IGNORECASE)
ASSIGNMENT = re.compile(r"\"?([^=]+)=(.*?)\"?$", re.DOTALL)
NOT_FOUND = 9009
VERSION = "Microsoft Windows [simulated: this is not Windows, it is the sandbox of OpsConductor]"


class ExitBatch(Exception):
    """`exit N` and `exit /b N`"""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


async def run(script: str, system: System, *, delayed: bool) -> int:
    """Run every line; the exit code of `exit`, or of the last command."""
    code = 0
    try:
        for line in script.splitlines():
            code = await _line(line, system, code, delayed=delayed)
    except ExitBatch as end:
        return end.code
    return code


async def _line(line: str, system: System, code: int, *, delayed: bool) -> int:
    environment = system.environment

    def variable(match: re.Match[str]) -> str:
        if match[1].upper() == "ERRORLEVEL":
            return str(code)
        return environment.get(match[1].upper(), "")

    line = PERCENT.sub(variable, line.strip().removeprefix("@"))
    for joiner, written in _split(line):
        if (joiner == "&&" and code != 0) or (joiner == "||" and code == 0):
            continue
        part, write = _redirected(written.removeprefix("@"), system.write)
        code = await _command(_delayed(part, environment) if delayed else part, system, code, write)
    return code


def _delayed(part: str, environment: dict[str, str]) -> str:
    return EXCLAMATION.sub(lambda match: environment.get(match[1].upper(), ""), part)


def _split(line: str) -> list[tuple[str, str]]:
    """Commands of a line with what joins each to the one before; quotes and `^` protect."""
    parts: list[tuple[str, str]] = []
    joiner, current, quoted, at = "", "", False, 0
    while at < len(line):
        char = line[at]
        if char == "^" and not quoted and at + 1 < len(line):
            current += line[at + 1]
            at += 2
            continue
        quoted ^= char == '"'
        operator = next((one for one in ("&&", "||", "&") if line.startswith(one, at)), "")
        if operator and not quoted and not current.rstrip().endswith(">"):
            parts.append((joiner, current.lstrip()))
            joiner, current = operator, ""
            at += len(operator)
            continue
        current += char
        at += 1
    return [*parts, (joiner, current.lstrip())]


async def _command(part: str, system: System, code: int, write: Write) -> int:
    if not part or part.lower().startswith(("rem ", "::", "rem\t")) or part.startswith(":"):
        return code
    match = re.match(r"[^\s/.(]+(?:\.exe)?", part)
    name = match[0] if match else part
    rest = part[len(name) :]
    key = name.lower().removesuffix(".exe")
    if key == "echo":
        text = rest[1:] if rest else "ECHO is off."
        if text.strip().lower() not in {"off", "on"}:
            await write("stdout", (text + "\r\n").encode())
        return 0
    if key == "exit":
        words = rest.replace("/b", " ").replace("/B", " ").split()
        raise ExitBatch(int(words[0]) if words else code)
    if key == "set":
        return await _set(rest.strip(), system, write)
    return await run_program(key, rest.split(), system, write, name=name)


def _redirected(part: str, write: Write) -> tuple[str, Write]:
    """Take `>nul`, `2>nul`, `1>&2` and `2>&1` out of a command."""
    target = {"stdout": "stdout", "stderr": "stderr"}
    for number, to in REDIRECTION.findall(part):
        source = "stderr" if number == "2" else "stdout"
        target[source] = {"&1": target["stdout"], "&2": target["stderr"]}.get(to.strip(), "")

    async def redirected(stream: str, data: bytes) -> None:
        if target[stream]:
            await write(target[stream], data)

    return REDIRECTION.sub("", part), redirected


async def _set(rest: str, system: System, write: Write) -> int:
    match = ASSIGNMENT.match(rest)
    if match is not None:
        system.environment[match[1].strip().upper()] = match[2]
        return 0
    found = {
        name: value for name, value in sorted(system.environment.items()) if name.startswith(rest.upper())
    }
    await write("stdout", "".join(f"{name}={value}\r\n" for name, value in found.items()).encode())
    return int(not found)


async def _type(file: str, system: System, write: Write) -> int:
    data = system.disk.content(file)
    if data is None:
        await write("stderr", b"The system cannot find the file specified.\r\n")
        return 1
    await write("stdout", data)
    return 0


async def run_program(key: str, words: list[str], system: System, write: Write, *, name: str = "") -> int:
    """One external program by name; 9009 for one that does not exist."""
    if key == "hostname":
        await write("stdout", f"{system.computer}\r\n".encode())
    elif key == "whoami":
        await write("stdout", f"{system.computer.lower()}\\{system.user.lower()}\r\n".encode())
    elif key == "ver":
        await write("stdout", f"\r\n{VERSION}\r\n".encode())
    elif key == "ping":
        count = await ping_seconds(words)
        await write("stdout", f"Packets: Sent = {count}, Received = {count}, Lost = 0 (0% loss)\r\n".encode())
    elif key == "start":
        plain = [word for word in words if not word.startswith('"') and word.lower() != "/b"]
        system.start_process(plain or ["cmd"])
    elif key == "del":
        names = {word.strip('"').rpartition("\\")[2] for word in words if not word.startswith("/")}
        system.machine.batch_files -= names
    elif key == "cd":
        await write("stdout", f"{system.folder}\r\n".encode())
    elif key == "type":
        return await _type(" ".join(words).strip('"'), system, write)
    elif key == "more":
        await write("stdout", await system.read_all())
    elif key in {"chcp", "setlocal", "endlocal"}:
        return 0
    elif key == "cmd":
        return await run(" ".join(words[1:]), system, delayed=False)
    else:
        message = f"'{name or key}' is not recognized as an internal or external command,\r\n"
        await write("stderr", (message + "operable program or batch file.\r\n").encode())
        return NOT_FOUND
    return 0
