"""What the exit code of a command says."""

OK = 0
FAILED = 1
USAGE = 2
"""The command, its settings or the request was wrong; nothing was started."""
PARTIAL = 3
CANCELLED = 4
UNKNOWN = 5
TIMED_OUT = 124
INTERRUPTED = 130
"""128 + SIGINT, as shells count."""

_OF_STATUS = {"succeeded": OK, "failed": FAILED, "partial": PARTIAL, "cancelled": CANCELLED}


def code_of(status: str) -> int:
    """The exit code for a run that ended with `status`."""
    return _OF_STATUS.get(status, UNKNOWN)
