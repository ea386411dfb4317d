"""One supervisor for one data folder."""

import fcntl
import os
from pathlib import Path

from infra.embedded.errors import DataFolderInUse
from infra.private_files import give_to_owner


class FolderLock:
    """Held until released or until this process dies, however it dies (flock(2)). The file holds our pid."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> None:
        """Raise DataFolderInUse, naming the other process, when somebody else holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise DataFolderInUse(
                f"{self._path.parent} is in use by another OpsConductor (process {owner}). "
                f"Stop that one first, or set OPS_DATA_DIR to another folder."
            ) from None
        give_to_owner(descriptor, self._path.parent)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
