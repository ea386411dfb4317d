"""TCP ports of a test's own: nobody else who runs tests on this machine is given the same one meanwhile."""

import fcntl
import os
import random
import tempfile
from itertools import chain
from pathlib import Path

from infra.embedded.ports import is_free

FIRST, LAST = 20_000, 31_999
"""Below what a kernel gives to outgoing connections, which could take a port before its server listens."""

EVERYWHERE = "0.0.0.0"

_CLAIMS = os.open(
    Path(tempfile.gettempdir()) / f"ops-test-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT, 0o600
)
"""One byte for each port, locked by the process that it belongs to; a lock ends with its process."""

_ours: set[int] = set()


def free_port() -> int:
    """A port where nobody listens, and which belongs to this process for as long as it lives.

    A server may begin to listen there at any time, stop, and begin again; or nobody ever does.
    """
    somewhere = random.randint(FIRST, LAST)
    for port in chain(range(somewhere, LAST + 1), range(FIRST, somewhere)):
        if port not in _ours and _claimed(port) and is_free(port, host=EVERYWHERE):
            return port
    raise AssertionError(f"no port is left between {FIRST} and {LAST}")


def _claimed(port: int) -> bool:
    try:
        fcntl.lockf(_CLAIMS, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _ours.add(port)
    return True
