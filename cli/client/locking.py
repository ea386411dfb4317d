"""One command at a time: a lock on a file, gone with the process that held it, however it ends."""

import os
import sys
import time
from pathlib import Path

TRY_AGAIN_SECONDS = 0.05


class FileLock:
    """Opening the file may raise OSError; entering waits for whoever holds the lock."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> None:
        _take(self._descriptor)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        # Its own waiting gives up after ten seconds.
        while True:
            try:
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except PermissionError:
                time.sleep(TRY_AGAIN_SECONDS)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
