"""What an executor writes about one attempt and what it is given, in memory instead of the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from contracts.jobs.steps import StepSpec
from workers.executor.holding import Claimed
from workers.executor.output import AttemptOutput, Chunk
from workers.executor.steps.base import Handle, JumpHop, OpenedCredential
from workers.executor.stored import StoredChunk
from workers.executor.verdicts import Ended, error_of

TASK = Claimed(
    id=UUID(int=1),
    run_id=UUID(int=2),
    project_id=UUID(int=3),
    step_no=0,
    attempt=1,
    fence=1,
    pool="default",
    age_seconds=0.0,
    job_id=UUID(int=4),
    job_version=1,
    parameters={},
    correlation_id=UUID(int=5),
    requested_by="tests",
    cancel_requested=False,
    handle=None,
    reattached=0,
    losses=0,
    target=None,
    credential=None,
)


@dataclass
class MemoryLedger:
    """What an attempt wrote, kept over the workers that carry it."""

    chunks: list[Chunk] = field(default_factory=list)
    ended: Ended | None = None
    handle: Handle | None = None
    truncated: bool = False
    incomplete: bool = False
    left: str | None = None
    """What somebody has to go back to the target for."""
    before_handle: Callable[[], None] = lambda: None
    """Called when a handle is to be stored."""
    on_handle: Callable[[], None] = lambda: None
    """Called once a handle is stored, and nothing has acted yet."""
    on_settled: Callable[[], None] = lambda: None
    """Called once an end is written, and nothing is removed from the target yet."""

    async def store_handle(self, task: Claimed, handle: str) -> None:
        self.before_handle()
        await asyncio.sleep(0)
        self.handle = orjson.loads(handle)
        self.on_handle()
        await asyncio.sleep(0)

    async def store_chunk(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    async def stored_output(self, task: Claimed) -> tuple[int, dict[str, int]]:
        ends: dict[str, int] = {}
        for chunk in self.chunks:
            ends[chunk.stream] = chunk.source_end
        return len(self.chunks), ends

    async def stored_chunks(self, task: Claimed) -> AsyncIterator[StoredChunk]:
        for chunk in list(self.chunks):
            yield StoredChunk(chunk.seq, chunk.stream, chunk.data, chunk.source_end)

    async def settle(self, task: Claimed, spec: StepSpec, ended: Ended, output: AttemptOutput | None) -> None:
        self.ended = ended
        if output is not None:
            self.truncated, self.incomplete = output.truncated, output.incomplete
        self.on_settled()
        await asyncio.sleep(0)

    async def leave(self, task: Claimed) -> None: ...

    async def leave_behind(self, task: Claimed, spec: StepSpec, *, why: str, what: str) -> None:
        self.left = f"{what}: {why}"

    async def cleared(self, task: Claimed) -> None:
        self.left = None

    @property
    def verdict(self) -> tuple[str, str | None]:
        assert self.ended is not None
        cause = self.ended.cause
        return self.ended.state.value, cause.code if cause else None

    @property
    def said(self) -> str:
        """What is stored of both streams, in the order it was stored."""
        return "".join(chunk.data for chunk in self.chunks)

    @property
    def shown(self) -> str:
        """Everything a person can read about the attempt."""
        if self.ended is None:
            return self.said
        return f"{self.said}\n{error_of(self.ended)}\n{self.ended.outputs}\n{self.ended.facts}"


@dataclass
class MemoryVault:
    """Opens one credential, whichever is asked for, and the secret parameters of every run."""

    opened: OpenedCredential | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)

    async def credential(
        self, task: Claimed, *, name: str | None = None, credential_id: UUID | None = None
    ) -> OpenedCredential | None:
        return self.opened

    async def jumps(self, task: Claimed) -> list[JumpHop]:
        return []

    async def parameters(self, run_id: UUID) -> dict[str, str]:
        return dict(self.secrets)
