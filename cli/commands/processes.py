"""`opsconductor gateway` and `opsconductor worker`: this process becomes that one."""

import os
import sys
from typing import Annotated

import typer

from cli import exits, render
from cli.client.problems import CliError
from cli.up.environments import code_path, python_module

gateway = typer.Typer(add_completion=False)
worker = typer.Typer(add_completion=False)
elsewhere = typer.Typer(add_completion=False)

Roles = Annotated[
    list[str] | None,
    typer.Argument(metavar="ROLE…", help="orchestrator, executor, caretaker; all when left out."),
]


@gateway.command()
def run_gateway() -> None:
    """Serve the HTTP API; settings come from the environment."""
    _become("gateway")


@worker.command()
def run_worker(roles: Roles = None) -> None:
    """Work in these roles, in one process; settings come from the environment."""
    _become("workers", *(roles or []))


@elsewhere.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_elsewhere() -> None:
    """Not on Windows: the server runs on Linux and macOS."""
    hint = "Run it in WSL 2, in Docker or on another machine, then: opsconductor login --url URL"
    render.problem(CliError("The server itself does not run on Windows.", hints=(hint,)))
    raise typer.Exit(exits.USAGE)


def _become(*words: str) -> None:
    command = python_module(*words)
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, **code_path(os.environ)})  # noqa: S606  (no shell is wanted)
