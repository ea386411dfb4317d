"""`opsconductor gateway` and `opsconductor worker`: this process becomes that one."""

import os
import sys
from typing import Annotated

import typer

from cli.up.environments import code_path, python_module

gateway = typer.Typer()
worker = typer.Typer()

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


def _become(*words: str) -> None:
    command = python_module(*words)
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, **code_path(os.environ)})  # noqa: S606  (no shell is wanted)
