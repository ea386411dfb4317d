"""A tar archive as a zip one, which is what Windows can unpack without anything installed.

Spooled in temporary files without a name, entry by entry. The same archive gives the same bytes each time, so
that a copy that broke off can go on.
"""

import gzip
import hashlib
import tarfile
import tempfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import IO

from infra.blocking import BlockingPool
from workers.executor.steps.base import StepFault
from workers.executor.steps.copying import Source

GZIP, ZIP = b"\x1f\x8b", b"PK"
TAR_AT, TAR = 257, b"ustar"
BLOCK = 1024 * 1024
UNPACKED_BYTES = 16 * 1024**3
"""What an archive may hold in all, so that a small one cannot keep an executor busy for hours."""
ALWAYS = (1980, 1, 1, 0, 0, 0)


class NotPacked(Exception):
    """The archive cannot be read, or holds what must not be unpacked."""


class Repacked:
    """A zip archive in a temporary file; implements what `Source` reads from."""

    def __init__(self, file: IO[bytes], pool: BlockingPool) -> None:
        self._file = file
        self._pool = pool

    async def read(self, offset: int) -> AsyncIterator[bytes]:
        """The bytes from `offset` on."""
        while piece := await self._pool.run(_piece, self._file, offset):
            offset += len(piece)
            yield piece

    def close(self) -> None:
        self._file.close()


def is_tar(beginning: bytes) -> bool:
    """Whether a file that begins so is to be repacked; anything else is left to the target."""
    return beginning.startswith(GZIP) or beginning[TAR_AT:].startswith(TAR)


async def as_zip(source: Source, pool: BlockingPool) -> Source:
    """`source`, or where it is a tar archive the same files as a zip. Raises StepFault: archive_invalid."""
    packed = await _spooled_tar(source, pool)
    if packed is None:
        return source
    try:
        file, size, sha256 = await pool.run(_repack, packed)
    except (NotPacked, tarfile.TarError, gzip.BadGzipFile, EOFError, OSError, UnicodeError) as error:
        raise StepFault("archive_invalid", detail=str(error)[:300]) from error
    finally:
        packed.close()
    return Source(
        name=source.name,
        size=size,
        sha256=sha256,
        artifacts=source.artifacts,
        spooled=Repacked(file, pool),
    )


async def _spooled_tar(source: Source, pool: BlockingPool) -> IO[bytes] | None:
    """The whole archive in a temporary file; None when it is no tar archive."""
    packed: IO[bytes] | None = None
    try:
        async for piece in source.read():
            if packed is None:
                if not is_tar(piece):
                    return None
                packed = await pool.run(tempfile.TemporaryFile)
            await pool.run(packed.write, piece)
    except BaseException:
        if packed is not None:
            packed.close()
        raise
    return packed


def _repack(packed: IO[bytes]) -> tuple[IO[bytes], int, str]:
    """The zip file, its size and hash. Raises NotPacked and what the libraries raise."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (kept open: it has no name to open it by again)
    try:
        _convert(packed, file)
        size = file.tell()
        file.seek(0)
        digest = hashlib.sha256()
        while piece := file.read(BLOCK):
            digest.update(piece)
    except BaseException:
        file.close()
        raise
    return file, size, digest.hexdigest()


def _convert(packed: IO[bytes], file: IO[bytes]) -> None:
    packed.seek(0)
    total = 0
    with tarfile.open(fileobj=packed) as tar, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in tar:
            total += member.size
            if total > UNPACKED_BYTES:
                raise NotPacked(f"it unpacks to more than {UNPACKED_BYTES} bytes")
            _add(archive, tar, member)


def _add(archive: zipfile.ZipFile, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise NotPacked(f"{member.name} leads outside")
    if not name.parts:
        return
    if member.isdir():
        archive.writestr(zipfile.ZipInfo(f"{name}/", ALWAYS), b"")
        return
    content = tar.extractfile(member) if member.isfile() else None
    if content is None:
        raise NotPacked(f"{member.name} is neither a file nor a folder")
    entry = zipfile.ZipInfo(str(name), ALWAYS)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as written:
        while piece := content.read(BLOCK):
            written.write(piece)


def _piece(file: IO[bytes], offset: int) -> bytes:
    file.seek(offset)
    return file.read(BLOCK)
