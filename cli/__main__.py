"""`opsconductor`: every command, each loaded only when it is used."""

import time

STARTED = time.monotonic()
"""Before anything heavy is imported, so that a start can be timed honestly."""

import os  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from io import TextIOWrapper  # noqa: E402
from typing import Annotated, Any  # noqa: E402

import typer  # noqa: E402
from typer.core import TyperGroup  # noqa: E402

COMMANDS = {
    "up": "up",
    "login": "login",
    "logout": "login:logout",
    "password": "login:password",
    "context": "context",
    "run": "run",
    "runs": "runs",
    "jobs": "jobs",
    "targets": "targets",
    "credentials": "credentials",
    "artifacts": "artifacts",
    "get": "objects:get",
    "create": "objects:create",
    "edit": "editing:edit",
    "delete": "objects:delete",
    "apply": "documents:apply",
    "diff": "documents:diff",
    "export": "exporting:export",
    "schema": "exporting:schema",
    "dlq": "dlq",
    "queues": "system:queues",
    "workers": "system:workers",
    "users": "system:users",
    "api": "raw",
    "open": "raw:browse",
    "explain": "explain",
    "doctor": "doctor",
    "completion": "completion",
    "migrate": "migrate",
    "gateway": "processes:gateway",
    "worker": "processes:worker",
    "keys": "keys",
    "admin": "admin",
}
"""Each command's module under `cli.commands`, and its Typer application there when it is not `app`."""
NOT_ON_WINDOWS = {"up", "gateway", "worker"}
"""Commands that are the server itself."""


_UNLOADED = typer.core.TyperCommand(None)


class LazyGroup(TyperGroup):
    """Imports a command's module when that command is asked for: `up` does not pay for tables."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = dict.fromkeys(COMMANDS, _UNLOADED)  # their names tell what may have been meant
        return super().resolve_command(ctx, args)

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        if cmd_name in NOT_ON_WINDOWS and sys.platform == "win32":
            place = "processes:elsewhere"
        module, _, name = place.partition(":")
        command = typer.main.get_command(getattr(import_module(f"cli.commands.{module}"), name or "app"))
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    name="opsconductor",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:  # noqa: FBT001  (as Typer calls it)
    if asked:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  (slow, and rarely used)

        try:
            print(f"opsconductor {version('opsconductor')}")
        except PackageNotFoundError:
            print("opsconductor, not installed: running from a checkout")
        raise typer.Exit


@app.callback()
def about(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Run commands and procedures on fleets of Windows and Linux machines.

    Start everything on this machine with `up`; talk to a running system with `login`, `run` and `runs`.
    """


def _encoding(stream: TextIOWrapper) -> str | None:
    """What goes into files and pipes on Windows is UTF-8, not a code page that lacks most letters."""
    foreign = sys.platform == "win32" and not stream.isatty() and not os.environ.get("PYTHONIOENCODING")
    return "utf-8" if foreign else None


def main() -> None:
    """The console script. Exits with 0, or what `cli.exits` says about the outcome."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=_encoding(stream), errors="backslashreplace")
    try:
        app(prog_name="opsconductor")
    except OSError as error:  # where no command was entered yet: help, completion, the version
        from cli.leaving import unwritten  # noqa: PLC0415  (rarely needed)

        sys.exit(unwritten(error))


if __name__ == "__main__":
    main()
