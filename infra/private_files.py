"""Files and folders that belong to one user, on every system the command line works on."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

REPLACING_SECONDS = 2.0


def user_id() -> int | None:
    """Who we are; None on Windows, which has no numbers for that."""
    return None if sys.platform == "win32" else os.geteuid()


def default_data_dir(environment: Mapping[str, str], *, uid: int | None) -> Path:
    """`OPS_DATA_DIR`, else `/var/lib/opsconductor` for root, else `opsconductor` in the user's data folder.

    Root does not use its home: servers that must not run as root could not enter it.
    """
    if chosen := environment.get("OPS_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    if uid == 0:
        return Path("/var/lib/opsconductor")
    if uid is None:
        data_home = environment.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    else:
        data_home = environment.get("XDG_DATA_HOME") or Path(environment.get("HOME", "~"), ".local/share")
    return Path(data_home).expanduser().absolute() / "opsconductor"


def config_dir(environment: Mapping[str, str], *, uid: int | None) -> Path:
    """`opsconductor` in the user's folder for settings."""
    if uid is None:
        home = environment.get("APPDATA") or Path.home() / "AppData/Roaming"
    else:
        home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "opsconductor"


def give_to_owner(descriptor: int, folder: Path) -> None:
    """What root creates in somebody's folder belongs to them: they may start without root next time."""
    if user_id() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def write_private(path: Path, text: str) -> None:
    """Create or replace `path` in one step, readable by its folder's owner only.

    On Windows it takes the rights of its folder: those of the user's profile let no other user read.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        give_to_owner(file.fileno(), path.parent)
    _replace(fresh, path)


def _replace(fresh: Path, path: Path) -> None:
    """Windows refuses for as long as somebody reads the old file, which is never long."""
    until = time.monotonic() + (REPLACING_SECONDS if sys.platform == "win32" else 0)
    while True:
        try:
            fresh.replace(path)
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.02)
        else:
            return
