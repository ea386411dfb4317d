"""Log files that cannot fill a disk."""

import os
from contextlib import suppress
from pathlib import Path

from infra.private_files import give_to_owner

BYTES_PER_FILE = 4 * 1024 * 1024


class BoundedLog:
    """Lines appended to `path`; when it is full it becomes `path.1` and the former `path.1` goes.

    Never more than two times `limit` bytes, plus one line. A disk that refuses (full, read-only) costs log
    lines, never the process that logs: `lost` counts them.
    """

    def __init__(self, path: Path, *, limit: int = BYTES_PER_FILE) -> None:
        self._path = path
        self._limit = limit
        self._descriptor: int | None = None
        self._size = 0
        self.lost = 0

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "replace") + b"\n"
        try:
            descriptor = self._opened()
            if self._size + len(data) > self._limit and self._size:
                self.close()
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                descriptor = self._opened()
            self._size += os.write(descriptor, data)
        except OSError:
            self.lost += 1  # see the class's promise

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        if self._descriptor is None:
            # O_NOFOLLOW: root may be writing into a folder that belongs to somebody else.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
            give_to_owner(self._descriptor, self._path.parent)
            self._size = os.fstat(self._descriptor).st_size
        return self._descriptor


class LogFolder:
    """One bounded log `<name>.log` for each name, in one folder."""

    def __init__(self, folder: Path, *, limit: int = BYTES_PER_FILE) -> None:
        self._folder = folder
        self._limit = limit
        self._logs: dict[str, BoundedLog] = {}

    def write(self, name: str, line: str) -> None:
        if name not in self._logs:
            with suppress(OSError):  # the write below fails too, and counts as lost
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._logs[name] = BoundedLog(self._folder / f"{name}.log", limit=self._limit)
        self._logs[name].write(line)

    def close(self) -> None:
        for log in self._logs.values():
            log.close()
