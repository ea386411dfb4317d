"""What every copying step does before it talks to its target: where the bytes come from, in what pieces."""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from contracts.binding import BindingRefused, fill
from contracts.jobs.steps.files import CopySpec
from workers.executor.steps.base import Artifacts, StepContext, StepFault

INLINE_NAME = "content"
PULL_FROM_BYTES = 64 * 1024 * 1024
"""From this size on `transfer: auto` lets the target fetch the file itself, where it can."""

KEPT = "what is half written is kept for the task's next attempt"
"""Why something stays on a target for now."""

Spec = TypeVar("Spec", bound=CopySpec)
Peer_contra = TypeVar("Peer_contra", contravariant=True)


class Transfer(Protocol[Peer_contra]):
    """What is to be done on the target, with what is known of it so far."""

    moved: int
    """Bytes that reached the other side, over all connections or processes."""

    async def run(self, peer: Peer_contra) -> dict[str, Any]:
        """Do it with this peer; the step's outputs. Raises what its peer raises, and StepFault."""

    async def give_up(self) -> None:
        """Remove what lies on our side. Never raises."""


def identity(context: StepContext) -> str:
    """Names what a task leaves beside its destination: the same for each of its attempts."""
    return context.task_id.hex


class Spooled(Protocol):
    """A file that lies on the executor for as long as it is copied."""

    def read(self, offset: int) -> AsyncIterator[bytes]:
        """The bytes from `offset` on, in pieces of at most 1 MiB."""

    def close(self) -> None:
        """Remove it. Never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file that an upload brings. `sha256` in hex."""

    name: str
    size: int
    sha256: str
    artifacts: Artifacts
    artifact_id: UUID | None = None
    content: bytes = b""
    """The whole file where it was given in the step itself."""
    spooled: "Spooled | None" = None
    """The file where it was made here from another one."""

    async def read(self, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes from `offset` on, in pieces of at most 1 MiB. Raises StepFault when they are gone."""
        if self.spooled is not None:
            pieces = self.spooled.read(offset)
        elif self.artifact_id is not None:
            pieces = self.artifacts.read(self.artifact_id, offset=offset)
        else:
            yield self.content[offset:]
            return
        async for piece in pieces:
            yield piece

    async def sha256_until(self, end: int) -> str:
        """The hash of the first `end` bytes."""
        digest, left = hashlib.sha256(), end
        if left:
            async for piece in self.read():
                digest.update(piece[:left])
                left -= min(left, len(piece))
                if not left:
                    break
        return digest.hexdigest()


def with_values(spec: Spec, context: StepContext) -> Spec:
    """The step with its placeholders filled. Raises StepFault for what cannot be bound."""
    try:
        filled = {
            name: fill(value, context.parameters)
            for name in spec.filled
            if isinstance(value := getattr(spec, name), str)
        }
    except BindingRefused as refused:
        raise StepFault("step_invalid", detail=str(refused)) from refused
    return spec.model_copy(update=filled)


async def source_of(spec: CopySpec, context: StepContext) -> Source:
    """What the upload `spec`, its placeholders filled, brings. Raises StepFault when there is none."""
    if spec.content_base64 is None:
        found = await context.artifacts.resolve(spec.src or "")
        return Source(
            name=found.name,
            size=found.size,
            sha256=found.sha256,
            artifacts=context.artifacts,
            artifact_id=found.id,
        )
    try:
        content = base64.b64decode("".join(spec.content_base64.split()), validate=True)
    except binascii.Error as error:
        raise StepFault("step_invalid", detail=f"content_base64 is not base64: {error}") from error
    return Source(
        name=INLINE_NAME,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        artifacts=context.artifacts,
        content=content,
    )


async def cut(pieces: AsyncIterator[bytes], size: Callable[[], int]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of `size()`, which may change on the way; the last one may be shorter.

    The next piece is fetched while the one before is being used.
    """
    waiting = bytearray()
    async for piece in ahead(pieces):
        waiting += piece
        while len(waiting) >= (length := size()):
            yield bytes(waiting[:length])
            del waiting[:length]
    while waiting:
        length = size()
        yield bytes(waiting[:length])
        del waiting[:length]


async def ahead(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, each fetched while the one before is being used."""
    following: asyncio.Future[bytes] = asyncio.ensure_future(_next(pieces))
    try:
        while True:
            try:
                piece = await following
            except StopAsyncIteration:
                return
            following = asyncio.ensure_future(_next(pieces))
            yield piece
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _next(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces)
