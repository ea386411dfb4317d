"""What is stored on the target before a command may start: its script with everything it was given. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from contracts.binding import BindingRefused, fill, fill_all, placeholders, render_sh
from contracts.jobs.steps import BOUND_SHELLS, SshCommand, SshExec, SshScript
from workers.executor.steps.base import StepContext, StepFault

# The shell writes down which process it is, by built-ins only. Fields of /proc/<pid>/stat behind the name
# tell the start time, which makes a pid unmistakable. Nothing but `ops_stat` is touched, and line numbers
# stay the script's.
_FIRST = (
    "{ read -r ops_stat </proc/$$/stat; } 2>/dev/null; "
    'echo "$$ ${ops_stat##*) }" >"${0%/*}/pid"; unset ops_stat; '
)
_UNLINK = 'rm -f "$0" "${0%/*}/stdin"; '
_SHEBANG = re.compile(rb"#![ \t]*([^\n]+)")
_PLAIN = re.compile(r"[A-Za-z0-9_./+=:@%-]+")


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Files for the attempt's folder: `script`, which `runner` runs, and what it reads."""

    files: Mapping[str, bytes]
    runner: str
    program: str
    """What has to be installed for it to run."""
    pty: bool


def of_command(spec: SshExec, context: StepContext) -> Payload:
    """The command as it is written. Raises `StepFault` when the parameters cannot be bound.

    A script with secret parameters removes its own file as soon as the shell has opened it.
    """
    prologue = _prologue(spec, context)
    command = spec.command.replace("\r\n", "\n")  # written on Windows: no shell takes its line ends
    if spec.shell in BOUND_SHELLS:
        script = prologue + _bound(lambda: render_sh(command, context.parameters, context.secret_parameters))
        return _payload(spec, context, {"script": script.encode()}, runner=spec.shell, program=spec.shell)
    if placeholders(spec.command):
        raise StepFault("step_invalid", detail=f"{spec.shell} scripts take no placeholders: use env or stdin")
    script = f'{prologue}exec {spec.shell} "${{0%/*}}/body"\n'
    files = {"script": script.encode(), "body": command.encode()}
    return _payload(spec, context, files, runner="sh", program=spec.shell)


def of_file(spec: SshScript, context: StepContext, content: bytes) -> Payload:
    """A whole file as a program with arguments. Raises `StepFault`."""
    hidden = {mark.name for argument in spec.arguments for mark in placeholders(argument)}
    if shown := sorted(hidden & context.secret_parameters):
        raise StepFault("step_invalid", detail=f"arguments would show {', '.join(shown)} in the process list")
    arguments: tuple[str, ...] = _bound(lambda: fill_all(spec.arguments, context.parameters))
    words = [spec.interpreter] if spec.interpreter else _interpreter_of(content)
    line = " ".join([*map(quoted, words), '"${0%/*}/body"', *map(quoted, arguments)])
    files = {"script": f"{_prologue(spec, context)}exec {line}\n".encode(), "body": content}
    return _payload(spec, context, files, runner="sh", program=words[0])


def quoted(text: str) -> str:
    """`text` as one word of a POSIX shell, whatever it holds."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def _bound(bind: Callable[[], T]) -> T:
    try:
        return bind()
    except BindingRefused as refused:
        raise StepFault("step_invalid", detail=str(refused)) from None


def _payload(
    spec: SshCommand, context: StepContext, files: Mapping[str, bytes], *, runner: str, program: str
) -> Payload:
    if spec.stdin is not None:
        text = spec.stdin
        files = {**files, "stdin": _bound(lambda: fill(text, context.parameters)).encode()}
    return Payload(files=files, runner=runner, program=program, pty=spec.pty)


def _prologue(spec: SshCommand, context: StepContext) -> str:
    """One line, unless a value holds several: who we are, no trace of secrets, variables, folder."""
    env: Mapping[str, str] = _bound(lambda: fill_all(spec.env, context.parameters))
    text = _FIRST + (_UNLINK if context.secret_parameters else "")
    text += "".join(f"export {name}={quoted(value)}; " for name, value in env.items())
    if spec.cwd is None:
        return text
    cwd = spec.cwd
    return text + _change_folder(_bound(lambda: fill(cwd, context.parameters)))


def _change_folder(path: str) -> str:
    """A folder that is not there, or not ours to enter, is noted for the wrapper: nothing has acted yet."""
    if path == "~" or path.startswith("~/"):
        place = f'"$HOME"{quoted(path[1:])}' if path[1:] else '"$HOME"'
    else:
        place = quoted(path if path.startswith("/") else f"./{path}")
    why = f"if [ -e {place} ]; then echo path_denied; else echo path_missing; fi"
    return f'CDPATH= cd -- {place} 2>/dev/null || {{ {{ {why}; }} >"${{0%/*}}/fault"; exit 126; }}; '


def _interpreter_of(content: bytes) -> list[str]:
    """The words behind `#!`; at most two, as the kernel splits them."""
    found = _SHEBANG.match(content)
    if found is None:
        return ["sh"]
    return found.group(1).decode(errors="replace").strip().split(maxsplit=1) or ["sh"]


def runner_of(spec: SshCommand) -> str:
    """What runs the file `script` of this step."""
    return spec.shell if isinstance(spec, SshExec) and spec.shell in BOUND_SHELLS else "sh"
