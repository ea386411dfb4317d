"""How every command ends: with its code, also when nobody reads its output any more."""

import os
import sys
from typing import NoReturn

from cli import exits


def leave(code: int | None) -> NoReturn:
    """End with this code, once everything that was written has gone out."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        stop_writing()
    sys.exit(code or exits.OK)


def stop_writing() -> None:
    """Whoever read our output has gone, as `head` does: what is left to write goes nowhere, silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
