"""How every command ends: with its code, also when its output can no longer be written."""

import errno
import os
import sys
from typing import NoReturn

from cli import exits

_CANNOT_WRITE = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def leave(code: int | None) -> NoReturn:
    """End with this code, once everything that was written has gone out."""
    try:
        sys.stdout.flush()
    except OSError as error:
        code = unwritten(error) or code
    sys.exit(code or exits.OK)


def unwritten(error: OSError) -> int:
    """The code after an error of the system: silence when the reader has gone, else words that say so."""
    from cli import render  # noqa: PLC0415  (slow, and rarely needed)
    from cli.client.problems import CliError  # noqa: PLC0415  (likewise)

    stop_writing()
    if reader_gone(error):
        return exits.OK
    reason = error.strerror or str(error)
    what = f"{error.filename} cannot be used" if error.filename else "The output cannot be written"
    render.problem(CliError(f"{what} ({reason})."))
    return exits.FAILED


def reader_gone(error: OSError) -> bool:
    """Whether nobody reads our output any more, as when `head` has seen enough."""
    windows = sys.platform == "win32" and error.errno == errno.EINVAL and error.filename is None
    return windows or isinstance(error, BrokenPipeError)


def is_about_writing(error: OSError) -> bool:
    return reader_gone(error) or error.errno in _CANNOT_WRITE


def stop_writing() -> None:
    """Whoever read our output has gone, or its disk is full: what is left to write goes nowhere, silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
