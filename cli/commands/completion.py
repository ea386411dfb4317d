"""`opsconductor completion`."""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

app = typer.Typer(add_completion=False)


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@app.command()
def completion(shell: Annotated[Shell, typer.Argument()]) -> None:
    """Print what makes a shell complete commands, and names of jobs, targets and runs of the server.

    Examples:

      opsconductor completion bash > ~/.local/share/bash-completion/completions/opsconductor

      opsconductor completion powershell >> $PROFILE
    """
    variable = "_OPSCONDUCTOR_COMPLETE"
    script = get_completion_script(prog_name="opsconductor", complete_var=variable, shell=shell.value)
    sys.stdout.write(script + "\n")
