"""What the reader of the terminal is told: where everything is, how to sign in, what to try."""

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cli.places import DataFolder
from cli.up.samples import LINUX_JOB, WINDOWS_JOB
from cli.up.screen import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`password` is shown when it is given: once, at the first start. `chosen`: it came from the settings."""

    url: str
    folder: DataFolder
    username: str
    password: str | None
    chosen: bool
    samples: bool


def own_command() -> str:
    """How to call this program from the reader's shell, in whatever folder that is."""
    called = Path(sys.argv[0])
    if called.name != "opsconductor":
        return f"{shlex.quote(sys.executable)} -m cli"
    found = shutil.which("opsconductor")
    on_path = found is not None and Path(found).samefile(called)
    return "opsconductor" if on_path else shlex.quote(str(called.absolute()))


def show(screen: Screen, summary: Summary) -> None:
    """Print the block."""
    command = own_command()
    screen.line()
    screen.line("  OpsConductor is running", "bold", "green")
    screen.line()
    screen.line(f"  Address    {summary.url}  (open it in a browser)")
    screen.line(f"  API        {summary.url}/api/v1/openapi.json describes it")
    screen.line(f"  User       {summary.username}")
    screen.line(f"  Password   {_password(summary, command)}")
    screen.line(f"  Data       {summary.folder.path}")
    screen.line(f"  Logs       {summary.folder.logs}")
    screen.line()
    screen.line("  Try next, in another terminal", "bold")
    for line in _next_commands(summary, command):
        screen.line(f"    {line}", "cyan")
    screen.line()
    screen.line("  Ctrl-C stops everything; the data stays.")
    screen.line()


def _password(summary: Summary, command: str) -> str:
    if summary.password is not None:
        return f"{summary.password}  (shown this once; good for choosing your own only)"
    if summary.chosen:
        return "the one in OPS_BOOTSTRAP_ADMIN_PASSWORD"
    return f"as before; forgotten? {_found_here(summary)}{command} admin reset-password"


def _found_here(summary: Summary) -> str:
    """What has to stand before a command that looks into the data folder, where that is not the usual one."""
    return f"OPS_DATA_DIR={shlex.quote(str(summary.folder.path))} " if os.environ.get("OPS_DATA_DIR") else ""


def _next_commands(summary: Summary, command: str) -> list[str]:
    sign_in = f"{command} login --url {summary.url} --username {summary.username}"
    if summary.password is not None:
        sign_in += f" && {command} password"
    doctor = f"{_found_here(summary)}{command} doctor"
    if not summary.samples:
        return [sign_in, f"{command} targets list", doctor]
    return [
        sign_in,
        f'{command} run "{WINDOWS_JOB}" -p svc=W32Time --follow',
        f'{command} run "{LINUX_JOB}" -p start=20 --follow',
        f"{command} runs list",
        doctor,
    ]
