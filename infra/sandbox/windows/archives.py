"""Unpacking a zip archive onto the simulated disk, as the copying script does."""

import zipfile
from pathlib import Path

from infra.sandbox.windows.disk import DiskError


def unpack(archive: Path, folder: Path, free: int | None) -> bool:
    """Whether anything differs from what was there. Nothing is written when a name leads outside."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                target = (folder / name.replace("\\", "/")).resolve()
                if not target.is_relative_to(folder.resolve()) or ":" in name:
                    raise DiskError("archive_invalid", f"{name} leads outside")
            need = sum(entry.file_size for entry in packed.infolist())
            if free is not None and free < need:
                raise DiskError("disk_full", f"{need} bytes are needed, {free} are free")
            folder.mkdir(exist_ok=True)
            changed = [_unpack_one(packed, entry, folder) for entry in packed.infolist()]
            return any(changed)
    except zipfile.BadZipFile as error:
        raise DiskError("archive_invalid", str(error)) from error


def _unpack_one(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> bool:
    target = folder / entry.filename.replace("\\", "/")
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    content = packed.read(entry)
    if target.is_file() and target.read_bytes() == content:
        return False
    target.write_bytes(content)
    return True
