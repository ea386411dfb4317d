"""An artifact store in memory, for tests of step plug-ins."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from workers.executor.steps.base import ArtifactInfo, StepFault

PIECE = 1024 * 1024


@dataclass
class MemoryArtifacts:
    """Implements `Artifacts`. `of_steps` is what `step:<name>` finds."""

    max_bytes: int = 1 << 30
    public_url: str | None = None
    contents: dict[UUID, tuple[ArtifactInfo, bytes]] = field(default_factory=dict)
    of_steps: dict[str, UUID] = field(default_factory=dict)
    discarded: int = 0

    def put(self, content: bytes, name: str = "file.bin") -> ArtifactInfo:
        info = ArtifactInfo(
            id=uuid4(), name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        self.contents[info.id] = info, content
        return info

    def content(self, artifact_id: UUID | str) -> bytes:
        return self.contents[UUID(str(artifact_id))][1]

    async def info(self, artifact_id: UUID) -> ArtifactInfo:
        if artifact_id not in self.contents:
            raise StepFault("artifact_missing", detail=f"there is no artifact {artifact_id}")
        return self.contents[artifact_id][0]

    async def resolve(self, src: str) -> ArtifactInfo:
        if src.startswith("step:"):
            return await self.info(self.of_steps.get(src.removeprefix("step:"), uuid4()))
        return await self.info(UUID(src))

    async def read(self, artifact_id: UUID, *, offset: int = 0) -> AsyncIterator[bytes]:
        await self.info(artifact_id)
        content = self.content(artifact_id)
        for start in range(offset, len(content), PIECE):
            yield content[start : start + PIECE]

    async def create(self, name: str) -> "MemoryWriter":
        return MemoryWriter(self, name)

    async def pull_url(self, artifact_id: UUID) -> str | None:
        return f"{self.public_url}/{artifact_id}" if self.public_url else None


@dataclass
class MemoryWriter:
    store: MemoryArtifacts
    name: str
    data: bytearray = field(default_factory=bytearray)

    async def write(self, data: bytes) -> None:
        if len(self.data) + len(data) > self.store.max_bytes:
            raise StepFault("artifact_too_large", detail=f"over {self.store.max_bytes} bytes")
        self.data += data

    async def finish(self, *, sha256: str | None = None) -> ArtifactInfo:
        if sha256 not in (None, hashlib.sha256(self.data).hexdigest()):
            raise StepFault("hash_mismatch", detail="in this test")
        return self.store.put(bytes(self.data), self.name)

    async def discard(self) -> None:
        self.store.discarded += 1


@dataclass
class GatedArtifacts(MemoryArtifacts):
    """Hands out the first half of a large file and the rest only after `gate` is set."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: bool = False
    """Whether somebody waits at the gate."""
    gated: set[UUID] = field(default_factory=set)

    def held_back(self) -> ArtifactInfo:
        info = self.put(os.urandom(6 * PIECE))
        self.gated.add(info.id)
        return info

    async def read(self, artifact_id: UUID, *, offset: int = 0) -> AsyncIterator[bytes]:
        given = offset
        async for piece in super().read(artifact_id, offset=offset):
            if given >= 3 * PIECE and artifact_id in self.gated:
                self.reached = True
                await self.gate.wait()
            yield piece
            given += len(piece)
