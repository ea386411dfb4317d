r"""The simulated machine's disk: drives and folders with Windows names, kept in a folder of its own.

`C:\a\b` is the file `C/a/b` in there. Real bytes are written and read; nothing outside of it is touched.
"""

import tempfile
from pathlib import Path, PureWindowsPath

FORBIDDEN = '<>:"|?*'


class DiskError(Exception):
    """What the script would have caught; `code` is the cause it tells of."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(detail)


class Disk:
    r"""Drive `C:` with `C:\Users\<user>` and `C:\Temp`. Made when it is first used."""

    def __init__(self, username: str) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._username = username
        self.free: int | None = None
        """Bytes that can still be written; None: as many as the real disk takes."""
        self.denied: set[str] = set()
        """Folders whose content the user may not change, in their Windows form."""
        self.spoils = 0
        """How many of the next files arrive with a wrong byte."""
        self.open: set[Path] = set()
        """Half-written files that a process holds."""

    @property
    def root(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ops-sandbox-disk-")
            for folder in (self.temp, rf"C:\Users\{self._username}"):
                self.path(folder).mkdir(parents=True, exist_ok=True)
        return Path(self._folder.name)

    @property
    def temp(self) -> str:
        return r"C:\Temp"

    def path(self, name: str) -> Path:
        """Where the file of that name lies really. Raises DiskError for what is no full path."""
        windows = PureWindowsPath(name.removeprefix("\\\\?\\"))
        if not windows.drive or not windows.root:
            raise DiskError("path_invalid", f"{name} is not a full path")
        parts: list[str] = []
        for part in windows.parts[1:]:
            if any(character in FORBIDDEN or character < " " for character in part):
                raise DiskError("path_invalid", f"The given path's format is not supported: {name}")
            if part == "..":
                parts = parts[:-1]
            elif part != ".":
                parts.append(part)
        return self.root.joinpath(windows.drive.rstrip(":").upper(), *parts)

    def content(self, name: str) -> bytes | None:
        """The bytes of that file; None when there is none of that name."""
        try:
            return self.path(name).read_bytes()
        except (DiskError, OSError):
            return None

    def allow_change(self, name: str) -> None:
        """Raises DiskError when the user may not write there."""
        folder = str(PureWindowsPath(name).parent)
        if folder in self.denied:
            raise DiskError("path_denied", f"Access to the path '{name}' is denied.")

    def remove(self) -> None:
        """Remove everything that was written."""
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()
