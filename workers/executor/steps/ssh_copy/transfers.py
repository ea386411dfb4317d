"""The talk about one file: up or down. Each can be begun again after it broke off, and goes on from there."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.jobs.steps import SshCopy
from workers.executor.steps.base import ArtifactWriter, Progress, StepContext
from workers.executor.steps.copying import Source, cut, identity
from workers.executor.steps.ssh_copy.peer import HASH_SECONDS, PIECE, Peer

MARGIN_KIB = 64
"""Free space that is left alone."""


def kind_of(spec: SshCopy) -> str:
    return "directory" if spec.directory else "file"


@dataclass(kw_only=True)
class Upload:
    """Implements `Transfer`. With `url` the target fetches the bytes itself."""

    spec: SshCopy
    source: Source
    context: StepContext
    url: Callable[[], Awaitable[str]] | None = None
    moved: int = 0
    _place: str = field(default="", init=False)
    _complete: bool = field(default=False, init=False)
    """Everything was sent once: what is then found in place was put there by us."""

    async def run(self, peer: Peer) -> dict[str, Any]:
        order = f"put {identity(self.context)} {kind_of(self.spec)}"
        _put, there, was, free = (await peer.ask(order, str(self.spec.dest))).words
        self._place = (await peer.answer()).text.removeprefix("place ")
        if not self.spec.directory and was == str(self.source.size) and await self._equal(peer):
            kept = await peer.ask(f"keep {self.spec.mode or '-'}")
            return self._outputs(changed=self._complete or kept.words[1] == "changed")
        have = await self._usable(peer, int(there))
        self._require_room(peer, have, free)
        await self._bring(peer, have)
        if await self._hash(peer, "new", self.source.size) != self.source.sha256:
            await peer.ask("cut 0")
            raise peer.fault("hash_mismatch", "SHA-256 differs")
        self.context.still_mine()
        self._complete = True
        await peer.ask(await self._last_order(), within=HASH_SECONDS)
        return self._outputs(changed=True)

    async def give_up(self) -> None:
        """Nothing of an upload lies on our side."""

    async def _equal(self, peer: Peer) -> bool:
        return (await peer.ask("hash old all", within=HASH_SECONDS)).words[1] == self.source.sha256

    async def _usable(self, peer: Peer, there: int) -> int:
        """Bytes of an earlier try that are what they should be; anything behind them is cut off.

        The last piece may have holes where the connection broke: its blocks travel side by side.
        """
        if not there:
            return 0
        for end in (there, there - PIECE):
            if 0 < end <= self.source.size:
                hashed = (await peer.ask(f"hash new {end}", within=HASH_SECONDS)).words[1]
                if hashed == await self.source.sha256_until(end):
                    await peer.ask(f"cut {end}")
                    return end
        await peer.ask("cut 0")
        return 0

    def _require_room(self, peer: Peer, have: int, free: str) -> None:
        needed = (self.source.size - have) // 1024 + MARGIN_KIB
        if free.isdecimal() and int(free) < needed:
            raise peer.fault("disk_full", f"{needed} KiB are needed, {free} are free")

    async def _bring(self, peer: Peer, start: int) -> None:
        self._tell(start)
        if self.url is not None:
            url = await self.url()
            self.context.still_mine()
            await peer.ask("pull", f'url = "{url}"', url, within=HASH_SECONDS)
            self.moved += self.source.size
        elif start < self.source.size:
            pieces = cut(self.source.read(start), lambda: PIECE)
            done = start
            async for reached in peer.write(self._place, start, pieces):
                self.context.still_mine()
                self.moved += reached - done
                done = reached
                self._tell(done)
        self._tell(self.source.size)

    async def _hash(self, peer: Peer, which: str, size: int) -> str:
        """The hash the target computes of all that is there; read back where it has no program for it."""
        told = (await peer.ask(f"hash {which} all", within=HASH_SECONDS)).words[1]
        if told != "none":
            return told
        digest = hashlib.sha256()
        async for piece in peer.read(self._place, 0, size):
            digest.update(piece)
        return digest.hexdigest()

    async def _last_order(self) -> str:
        if not self.spec.directory:
            return f"finish {self.spec.mode or '-'}"
        first = b""
        async for piece in self.source.read():
            first = piece[:4]
            break
        kinds = {b"PK": "zip", b"\x1f\x8b": "gz"}
        return f"unpack {kinds.get(first[:2], 'tar')}"

    def _tell(self, done: int) -> None:
        self.context.report(Progress(done=done, total=self.source.size))

    def _outputs(self, *, changed: bool) -> dict[str, Any]:
        return {
            "path": self.spec.dest,
            "sha256": self.source.sha256,
            "bytes": self.source.size,
            "changed": changed,
        }


@dataclass(kw_only=True)
class Download:
    """Implements `Transfer`, into a new artifact."""

    spec: SshCopy
    context: StepContext
    moved: int = 0
    _digest: Any = field(default_factory=hashlib.sha256, init=False)
    _writer: ArtifactWriter | None = field(default=None, init=False)
    _total: int | None = field(default=None, init=False)

    async def run(self, peer: Peer) -> dict[str, Any]:
        order = f"get {identity(self.context)} {kind_of(self.spec)}"
        size = int((await peer.ask(order, str(self.spec.src), within=HASH_SECONDS)).words[1])
        place = (await peer.answer()).text.removeprefix("place ")
        if self._total is None:
            self._total = size
        elif size < self._total or (self.spec.directory and size != self._total):
            raise peer.fault("hash_mismatch", "the file changed while it was read")
        total = self._total
        self._writer = self._writer or await self.context.artifacts.create(self._name())
        self.context.report(Progress(done=self.moved, total=total))
        if self.moved < total:
            async for piece in peer.read(place, self.moved, total):
                await self._writer.write(piece)
                self._digest.update(piece)
                self.moved += len(piece)
                self.context.report(Progress(done=self.moved, total=total))
        told = (await peer.ask(f"hash old {total}", within=HASH_SECONDS)).words[1]
        if told not in {"none", self._digest.hexdigest()}:
            raise peer.fault("hash_mismatch", "the file changed while it was read")
        return await self._finish(self._writer)

    async def give_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.discard()

    async def _finish(self, writer: ArtifactWriter) -> dict[str, Any]:
        self.context.still_mine()
        stored = await writer.finish()
        self._writer = None
        return {
            "path": self.spec.src,
            "sha256": stored.sha256,
            "bytes": stored.size,
            "changed": True,
            "artifact": str(stored.id),
        }

    def _name(self) -> str:
        own = (self.spec.src or "").rstrip("/").rpartition("/")[2]
        return self.spec.dest or (f"{own}.tar.gz" if self.spec.directory else own) or "file"
