"""The copying script, simulated: known by its first line, acting on the host's own disk with real bytes.

It follows the script step by step: which file it looks at, which lines it answers, what it leaves behind.
"""

import asyncio
import hashlib
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from infra.sandbox.windows.archives import unpack
from infra.sandbox.windows.disk import Disk, DiskError
from infra.sandbox.windows.shells import Command

if TYPE_CHECKING:
    from infra.sandbox.windows.host import Knobs

BANNER, SCRIPT_BANNER = "#ops-copy/1 ", b"# ops-copy script/1\n"
HEAD_BYTES, PLACE_BYTES, PIECE = 32, 16, 256 * 1024
UNHEARD_SECONDS, UNHEARD, CUT_OFF, SHRANK = 60.0, 86, 87, 88
FAILED = 3

Options = Mapping[str, Any]


def is_copy(script: str) -> bool:
    """Whether a decoded -EncodedCommand is the copying bootstrap."""
    return script.startswith(BANNER)


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


async def run(disk: Disk, command: Command, knobs: "Knobs") -> int:
    """The exit code of a copying process."""
    process = _Process(disk, command, knobs)
    try:
        head = await process.take(HEAD_BYTES)
        script = await process.take(int(head[:15]))
        options: Options = json.loads(await process.take(int(head[16:31])))
        if not script.startswith(SCRIPT_BANNER):
            return 1
        await {"put": process.put, "get": process.get, "drop": process.drop}[options["op"]](options)
    except _Exit as ended:
        return ended.code
    except DiskError as error:
        await process.say(state="failed", code=error.code, detail=error.detail)
        return FAILED
    return 0


class _Process:
    def __init__(self, disk: Disk, command: Command, knobs: "Knobs") -> None:
        self._disk = disk
        self._command = command
        self._knobs = knobs

    async def say(self, **fields: object) -> None:
        await self._command.write("stdout", json.dumps(fields).encode() + b"\n")

    async def some(self, count: int) -> bytes:
        try:
            async with asyncio.timeout(UNHEARD_SECONDS):
                data = await self._command.stdin.read(count)
        except TimeoutError:
            raise _Exit(UNHEARD) from None
        if not data:
            raise _Exit(CUT_OFF)
        return data

    async def take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += await self.some(count - len(data))
        return data

    # -- put

    async def put(self, options: Options) -> None:
        path = self._place(options)
        side = _beside(path, options)
        if not options["directory"] and _is(path, options):
            side.unlink(missing_ok=True)
            await self.say(state="equal")
            return
        self._disk.allow_change(options["path"])
        with self._held(side), side.open("ab+") as file:
            try:
                await self._receive(options, file)
            except DiskError:
                side.unlink(missing_ok=True)
                raise
        changed = True
        try:
            if options["directory"]:
                changed = unpack(side, path, self._disk.free)
                side.unlink()
            else:
                side.replace(path)
        except DiskError:
            side.unlink(missing_ok=True)
            raise
        await self.say(state="done", sha256=options["sha256"], changed=changed)

    def _place(self, options: Options) -> Path:
        path = self._disk.path(options["path"])
        parent = str(PureWindowsPath(options["path"]).parent)
        if path.parent.is_file():
            raise DiskError("not_a_directory", parent)
        if not path.parent.is_dir():
            raise DiskError("path_missing", parent)
        if options["directory"] and path.is_file():
            raise DiskError("not_a_directory", options["path"])
        if not options["directory"] and (path.is_dir() or options["path"].endswith(("\\", "/"))):
            raise DiskError("not_a_file", options["path"])
        return path

    async def _receive(self, options: Options, file: BufferedRandom) -> None:
        size = options["size"]
        have = _length(file)
        if have > size:
            file.truncate(0)
            have = 0
        free = self._disk.free
        if free is not None and free < size - have:
            raise DiskError("disk_full", f"{size - have} bytes are needed, {free} are free")
        file.seek(0)
        prefix = hashlib.file_digest(file, "sha256")
        await self.say(state="ready", have=have, prefix=prefix.hexdigest())
        start = int(await self.take(PLACE_BYTES))
        whole = prefix.copy()
        if start != have:
            file.truncate(0)
            whole = hashlib.sha256()
        await self._write(options, file, start if start == have else 0, whole)
        digest = whole.hexdigest()
        if digest != options["sha256"]:
            raise DiskError("hash_mismatch", f"its SHA-256 is {digest}, not {options['sha256']}")

    async def _write(
        self, options: Options, file: BufferedRandom, start: int, whole: "hashlib._Hash"
    ) -> None:
        web = await _fetched(options["url"], start) if options.get("url") else None
        done, size = start, options["size"]
        while done < size:
            count = min(PIECE, size - done)
            data = web[done - start :][:count] if web is not None else await self.some(count)
            if not data:
                raise DiskError("pull_failed", f"the answer ended after {done} of {size} bytes")
            if self._disk.spoils:
                self._disk.spoils -= 1
                data = bytes([data[0] ^ 1]) + data[1:]
            file.write(data)
            file.flush()
            whole.update(data)
            done += len(data)

    @contextmanager
    def _held(self, side: Path) -> Iterator[None]:
        """FileShare.None: no other process opens it meanwhile."""
        if side in self._disk.open:
            raise DiskError("busy", f"The process cannot access the file '{side.name}'.")
        self._disk.open.add(side)
        try:
            yield
        finally:
            self._disk.open.discard(side)

    # -- get and drop

    async def get(self, options: Options) -> None:
        path = self._disk.path(options["path"])
        if path.is_dir():
            if not options["directory"]:
                raise DiskError("not_a_file", options["path"])
            path = self._packed(path, options)
        elif not path.exists():
            raise DiskError("path_missing", f"Could not find file '{options['path']}'.")
        elif options["directory"]:
            raise DiskError("not_a_directory", options["path"])
        size = path.stat().st_size
        await self.say(state="ready", size=size)
        digest, done = hashlib.sha256(), 0
        with path.open("rb") as file:
            while done < size:
                data = file.read(min(PIECE, size - done))
                if not data:
                    raise _Exit(SHRANK)
                digest.update(data)
                skip = max(0, min(len(data), options["from"] - done))
                if self._disk.spoils and data[skip:]:
                    self._disk.spoils -= 1
                    data = data[:-1] + bytes([data[-1] ^ 1])
                await self._command.write("stdout", data[skip:])
                done += len(data)
        if options["directory"]:
            path.unlink()
        await self.say(state="done", sha256=digest.hexdigest())

    def _packed(self, folder: Path, options: Options) -> Path:
        side = self._zip(options)
        if options["from"] == 0 or not side.exists():
            shutil.make_archive(str(side.with_suffix("")), "zip", folder)
        return side

    def _zip(self, options: Options) -> Path:
        return self._disk.path(rf"{self._disk.temp}\ops-{options['id']}.zip")

    async def drop(self, options: Options) -> None:
        if options["path"]:
            side = _beside(self._disk.path(options["path"]), options)
            with self._held(side):
                side.unlink(missing_ok=True)
        self._zip(options).unlink(missing_ok=True)
        await self.say(state="done")


def _beside(path: Path, options: Options) -> Path:
    return path.with_name(f"{path.name}.ops-{options['id']}.part")


def _length(file: BufferedRandom) -> int:
    return file.seek(0, 2)


def _is(path: Path, options: Options) -> bool:
    if not path.is_file() or path.stat().st_size != options["size"]:
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest == str(options["sha256"])


async def _fetched(url: str, start: int) -> bytes:
    """What is there from `start` on. Raises DiskError."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
    try:
        return await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=30).read())  # noqa: S310
    except (urllib.error.URLError, OSError) as error:
        raise DiskError("pull_failed", str(error)) from error
