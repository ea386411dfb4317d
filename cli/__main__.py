"""`opsconductor`: every command, each loaded only when it is used."""

import time

STARTED = time.monotonic()
"""Before anything heavy is imported, so that a start can be timed honestly."""

from importlib import import_module  # noqa: E402
from typing import Any  # noqa: E402

import typer  # noqa: E402
from typer.core import TyperGroup  # noqa: E402

COMMANDS = {
    "up": "up",
    "migrate": "migrate",
    "gateway": "processes:gateway",
    "worker": "processes:worker",
    "keys": "keys",
    "doctor": "doctor",
    "admin": "admin",
    "login": "login",
    "logout": "login:logout",
    "password": "login:password",
    "run": "run",
    "runs": "runs",
    "jobs": "lists:jobs",
    "targets": "lists:targets",
    "queues": "lists:queues",
    "dlq": "dlq",
}
"""Each command's module under `cli.commands`, and its Typer application there when it is not `app`."""


class LazyGroup(TyperGroup):
    """Imports a command's module when that command is asked for: `up` does not pay for tables."""

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
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


@app.callback()
def about() -> None:
    """Run commands and procedures on fleets of Windows and Linux machines.

    Start everything on this machine with `up`; talk to a running system with `login`, `run` and `runs`.
    """


def main() -> None:
    """The console script. Exits with 0, or what `cli.exits` says about the outcome."""
    app(prog_name="opsconductor")


if __name__ == "__main__":
    main()
