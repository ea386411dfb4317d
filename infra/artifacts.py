"""Stored files, piece by piece: the one place that reads and writes their bytes, never a whole file at once.

A new artifact is invisible until `finish`; every piece is a transaction of its own, so that a long upload
holds nothing back. Pieces are of one size, so any place of a file is found by its number.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.errors import NotFound, TooLarge
from contracts.limits import PIECE_BYTES
from contracts.tables.artifacts import ArtifactOrigin
from infra.database import Statements
from infra.direct import direct_statement
from infra.ids import uuid7
from infra.outages import Gate

T = TypeVar("T")

_BEGIN = text("""
    INSERT INTO artifacts (id, project_id, name, content_type, state, origin, run_id, task_id, created_by,
                           expires_at)
    VALUES (:id, :project_id, :name, :content_type, 'writing', :origin, :run_id, :task_id, :created_by,
            :expires_at)
    ON CONFLICT DO NOTHING
""")
_ADD = text("""
    WITH open AS (
        UPDATE artifacts SET touched_at = now(), size = :size
         WHERE id = :id AND state = 'writing' RETURNING id),
    added AS (
        INSERT INTO artifact_pieces (artifact_id, number, data)
        SELECT id, :number, :data FROM open ON CONFLICT DO NOTHING)
    SELECT id FROM open
""")
_FINISH = text("""
    UPDATE artifacts SET state = 'ready', sha256 = :sha256, size = :size, touched_at = now()
     WHERE id = :id AND (state = 'writing' OR (state = 'ready' AND sha256 = :sha256)) RETURNING id
""")
"""Finishing twice is finishing: the answer to the first try may have been lost."""
_DISCARD = text(
    "UPDATE artifacts SET state = 'deleted', touched_at = now() WHERE id = :id AND state = 'writing'"
)
_FIND = text("""
    SELECT id, project_id, name, content_type, size, sha256 FROM artifacts
     WHERE id = :id AND state = 'ready' AND (expires_at IS NULL OR expires_at > now())
       AND (CAST(:project_id AS uuid) IS NULL OR project_id = :project_id)
""")
_PIECE = text("SELECT data FROM artifact_pieces WHERE artifact_id = :id AND number = :number")


class ArtifactTooLarge(TooLarge):
    def __init__(self, most: int) -> None:
        super().__init__(f"A file may have at most {most} bytes (OPS_ARTIFACT_MAX_BYTES).")
        self.most = most


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    """What is known before the first byte. `run_id` and `task_id` for what a step brings back."""

    project_id: UUID
    name: str
    content_type: str
    origin: ArtifactOrigin
    created_by: str
    run_id: UUID | None = None
    task_id: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArtifact:
    """A whole artifact. `sha256` in hex."""

    id: UUID
    project_id: UUID
    name: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a draft holds once its last byte has come."""

    id: UUID
    size: int
    sha256: str


class ArtifactStore:
    """Over the connections of `engine`; with a `gate` an outage of the database is waited out."""

    def __init__(self, engine: AsyncEngine, *, max_bytes: int, gate: Gate | None = None) -> None:
        self.engine = engine
        self._gate = gate
        self.max_bytes = max_bytes

    async def begin(self, new: NewArtifact) -> "Draft":
        """An empty artifact nobody sees yet; the caretaker removes it when it is not fed for an hour."""
        artifact_id = uuid7()
        values = {
            "id": artifact_id,
            "project_id": new.project_id,
            "name": new.name,
            "content_type": new.content_type,
            "origin": new.origin.value,
            "run_id": new.run_id,
            "task_id": new.task_id,
            "created_by": new.created_by,
            "expires_at": new.expires_at,
        }

        async def insert() -> None:
            async with direct_statement(self.engine) as session:
                await session.execute(_BEGIN, values)

        await self.patiently(insert)
        return Draft(self, artifact_id)

    async def add(self, artifact_id: UUID, number: int, data: bytes, *, size: int) -> None:
        """One piece; `size` bytes with it. Raises `NotFound` when the artifact was given up."""

        async def insert() -> bool:
            async with direct_statement(self.engine) as session:
                values = {"id": artifact_id, "number": number, "data": data, "size": size}
                return await session.scalar(_ADD, values) is not None

        if not await self.patiently(insert):
            raise NotFound.of("artifact being written", artifact_id)

    async def discard(self, artifact_id: UUID) -> None:
        """Take back what was begun; the caretaker removes its bytes."""

        async def mark() -> None:
            async with direct_statement(self.engine) as session:
                await session.execute(_DISCARD, {"id": artifact_id})

        await self.patiently(mark)

    async def find(self, artifact_id: UUID, *, project_id: UUID | None) -> StoredArtifact:
        """The whole artifact of this project (of any, with None); raises `NotFound`."""

        async def select() -> StoredArtifact:
            async with direct_statement(self.engine) as session:
                return await find_artifact(session, artifact_id, project_id=project_id)

        return await self.patiently(select)

    async def read(self, artifact_id: UUID, size: int, *, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `size`, at most 1 MiB at once; raises `NotFound` when they go away."""
        while start < size:
            piece = (await self._piece(artifact_id, start // PIECE_BYTES))[start % PIECE_BYTES :]
            part = piece[: size - start]
            if not part:
                raise NotFound.of("whole artifact", artifact_id)
            start += len(part)
            yield part

    async def _piece(self, artifact_id: UUID, number: int) -> bytes:
        async def select() -> bytes | None:
            async with direct_statement(self.engine) as session:
                data: bytes | None = await session.scalar(_PIECE, {"id": artifact_id, "number": number})
                return data

        return await self.patiently(select) or b""

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await work() if self._gate is None else await self._gate.run(work)


class Draft:
    """An artifact while it is written, from one place. Nothing of it is visible before it is finished."""

    def __init__(self, store: ArtifactStore, artifact_id: UUID) -> None:
        self.id = artifact_id
        self._store = store
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._pieces = 0
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Append; raises `ArtifactTooLarge` beyond the size allowed."""
        if self.size + len(data) > self._store.max_bytes:
            raise ArtifactTooLarge(self._store.max_bytes)
        self._hash.update(data)
        self._waiting += data
        self.size += len(data)
        while len(self._waiting) >= PIECE_BYTES:
            await self._store_piece(PIECE_BYTES)

    async def close(self) -> Written:
        """Write what is left; `finish` in a transaction of the caller's makes it visible."""
        if self._waiting:
            await self._store_piece(len(self._waiting))
        return Written(self.id, self.size, self._hash.hexdigest())

    async def discard(self) -> None:
        await self._store.discard(self.id)

    async def _store_piece(self, length: int) -> None:
        piece = bytes(self._waiting[:length])
        stored = self._pieces * PIECE_BYTES + length
        await self._store.add(self.id, self._pieces, piece, size=stored)
        del self._waiting[:length]
        self._pieces += 1


async def finish(session: Statements, written: Written) -> bool:
    """Make the artifact visible with this transaction; False when it was given up meanwhile."""
    values = {"id": written.id, "size": written.size, "sha256": written.sha256}
    return await session.scalar(_FINISH, values) is not None


async def find_artifact(session: Statements, artifact_id: UUID, *, project_id: UUID | None) -> StoredArtifact:
    """The whole artifact of this project (of any, with None); raises `NotFound`."""
    rows = (await session.execute(_FIND, {"id": artifact_id, "project_id": project_id})).mappings()
    for row in rows:
        return StoredArtifact(**row)
    raise NotFound.of("artifact", artifact_id)
