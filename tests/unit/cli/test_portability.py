"""What the command line may not use since Windows lacks it, or means something else by it."""

import ast
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SERVER_ONLY = ("cli/up/", "cli/provisioning.py")
"""Parts of `up` and of the containers, which run on Linux and macOS."""
SHARED = ("infra/private_files.py", "infra/clock.py", "infra/ids.py")
"""What the client uses beside its own code."""
ONLY_POSIX = {
    *("chown", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg"),
    *("getpgid", "getuid", "initgroups", "killpg", "lchown", "mkfifo", "nice", "openpty", "posix_spawn"),
    *("setgid", "setsid", "setuid", "sync", "uname", "wait", "waitid", "O_CLOEXEC", "O_DIRECTORY"),
    *("O_NOFOLLOW", "O_NONBLOCK"),
}
POSIX_MODULES = {"curses", "fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
ON_WINDOWS = {"SIGABRT", "SIGBREAK", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "CTRL_C_EVENT"}
TEXT_CALLS = {"read_text", "write_text", "open"}
NOT_ITS_TEXT = {("os", "open"), ("webbrowser", "open")}


def _files() -> list[Path]:
    ours = [path for path in sorted((ROOT / "cli").rglob("*.py")) if not _for_servers(path)]
    return ours + [ROOT / path for path in SHARED]


def _for_servers(path: Path) -> bool:
    return str(path.relative_to(ROOT)).startswith(SERVER_ONLY)


def _on_every_system(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that are not inside an `if` on the platform or the user's number."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.IfExp) and any(
            word in ast.unparse(child.test) for word in ("win32", "windows", "user_id()", "uid")
        ):
            continue
        yield child
        yield from _on_every_system(child)


def problems(code: str) -> Iterator[str]:
    """Line and reason of everything in the code that is different on Windows."""
    for node in _on_every_system(ast.parse(code)):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in ONLY_POSIX:
                yield f"{node.lineno}: os.{name} is not there"
            case ast.Attribute(value=ast.Name(id="signal"), attr=name) if (
                name.startswith("SIG") and not name.startswith("SIG_") and name not in ON_WINDOWS
            ):
                yield f"{node.lineno}: signal.{name} is not there"
            case ast.Attribute(attr="add_signal_handler"):
                yield f"{node.lineno}: its event loop takes no signal handlers"
            case ast.Import(names=names) if found := {one.name for one in names} & POSIX_MODULES:
                yield f"{node.lineno}: the module {found} is not there"
            case ast.Call() if reason := _unencoded(node):
                yield f"{node.lineno}: {reason}"
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr="stdin"), attr=name) if (
                name in {"read", "readline", "readlines"}
            ):
                yield f"{node.lineno}: sys.stdin.{name} decodes by the code page of the terminal"


def _unencoded(call: ast.Call) -> str | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in TEXT_CALLS or any(keyword.arg == "encoding" for keyword in call.keywords):
        return None
    words = ast.unparse(call.func).split(".")
    binary = any(isinstance(arg, ast.Constant) and "b" in str(arg.value) for arg in call.args)
    if binary or tuple(words[-2:]) in NOT_ITS_TEXT:
        return None
    return f"{name} without an encoding is another one on every machine"


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_in_the_command_line_breaks_on_windows(path: Path) -> None:
    assert list(problems(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.geteuid()",
        "import os\nflags = os.O_RDWR | os.O_NOFOLLOW",
        "import signal\nsignal.signal(signal.SIGHUP, print)",
        "import fcntl",
        "loop.add_signal_handler(2, print)",
        "path.read_text()",
        "path.write_text('x', newline='')",
        "open('x')",
        "import sys\nsys.stdin.readline()",
    ],
)
def test_each_of_these_is_found(code: str) -> None:
    assert len(list(problems(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "if sys.platform == 'win32':\n    import msvcrt\nelse:\n    import fcntl",
        "path.open('rb')",
        "import os\nos.open(path, os.O_RDWR)",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)",
        "sys.stdin.buffer.read()",
    ],
)
def test_none_of_these_is(code: str) -> None:
    assert list(problems(code)) == []


def test_the_names_are_spelled_as_they_are_here() -> None:
    assert {name for name in ONLY_POSIX if not hasattr(os, name)} == set()
    assert {name for name in ON_WINDOWS - {"SIGBREAK", "CTRL_C_EVENT"} if not hasattr(signal, name)} == set()
