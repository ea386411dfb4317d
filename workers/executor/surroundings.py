"""What every attempt of an executor shares: where it writes, what opens secrets, who carries its step."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from contracts.jobs.definition import JobDefinition
from contracts.jobs.steps import StepSpec
from workers.executor.holding import Claimed
from workers.executor.logins import FirstLogins
from workers.executor.output import AttemptOutput, Chunk
from workers.executor.steps.base import Artifacts, JumpHop, OpenedCredential, Progress, StepPlugin
from workers.executor.stored import StoredChunk
from workers.executor.verdicts import Ended


class Ledger(Protocol):
    """Where an attempt writes what must not be lost; every method raises `Fenced` for a lost task."""

    async def store_handle(self, task: Claimed, handle: str) -> None: ...

    async def store_chunk(self, chunk: Chunk) -> None: ...

    async def stored_output(self, task: Claimed) -> tuple[int, dict[str, int]]: ...

    def stored_chunks(self, task: Claimed) -> AsyncIterator[StoredChunk]: ...

    async def settle(
        self, task: Claimed, spec: StepSpec, ended: Ended, output: AttemptOutput | None
    ) -> None: ...

    async def leave(self, task: Claimed) -> None:
        """Give back the session on the target, once it is closed; never raises `Fenced`."""

    async def leave_behind(self, task: Claimed, spec: StepSpec, *, why: str, what: str) -> None:
        """The same, where something of the attempt may still be on the target: somebody goes back for it.

        `why` it is not removed yet, and `what` it is, in words.
        """

    async def cleared(self, task: Claimed) -> None:
        """The same for an attempt that is cleared up: nobody needs to go back for it."""


class Vault(Protocol):
    """Where secrets are opened, in this process's memory."""

    async def credential(
        self, task: Claimed, *, name: str | None = None, credential_id: UUID | None = None
    ) -> OpenedCredential | None: ...

    async def jumps(self, task: Claimed) -> Sequence[JumpHop]: ...

    async def parameters(self, run_id: UUID) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every attempt of this executor shares."""

    ledger: Ledger
    vault: Vault
    plugins: Mapping[str, StepPlugin[Any]]
    still_mine: Callable[[], None]
    artifacts: Callable[[Claimed, JobDefinition], Artifacts]
    reporter: Callable[[Claimed], Callable[[Progress], None]]
    logins: FirstLogins = field(default_factory=FirstLogins)
