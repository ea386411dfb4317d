"""What a step plug-in is: `start` gets ready, the handle is stored, `follow` lets the target act.

A plug-in never decides about retries, leases or the database. It talks to one target, reports what the target
said, and can be asked to stop, to let go, or to take over what a lost worker began.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar
from uuid import UUID

from contracts.causes import CAUSES, Cause
from contracts.jobs.steps import StepSpec
from contracts.targets.specs import SshSettings, WinrmSettings

Handle = Mapping[str, Any]
"""JSON-able, at most `limits.HANDLE_BYTES`: all that another executor needs to find the command again."""

Stream = Literal["stdout", "stderr"]
ParameterValue = str | int | float | bool

Spec_contra = TypeVar("Spec_contra", bound=StepSpec, contravariant=True)


class StepFault(Exception):
    """The step could not be done; `acted` says whether the target may have begun to act."""

    def __init__(self, code: str, *, acted: bool = False, **words: object) -> None:
        self.cause: Cause = CAUSES[code]
        self.acted = acted
        self.words = words
        super().__init__(code)


class NotResumable(Exception):
    """The command of a lost worker cannot be found again: nobody can say how it ended."""


class Fenced(Exception):
    """This worker no longer holds the task; nothing more may be started for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """The machine a step acts on."""

    id: UUID
    name: str
    hostname: str
    os: Literal["windows", "linux"]
    winrm: WinrmSettings
    ssh: SshSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCredential:
    """A credential in the clear, in this process's memory, for one attempt. Never logged: no repr."""

    id: UUID
    version: int
    type: str
    username: str
    secrets: Mapping[str, str] = field(repr=False)
    """`password`, or `private_key` (PEM or OpenSSH) with an optional `passphrase`."""


class OutputSink(Protocol):
    """Where a plug-in puts what the target writes, as bytes in UTF-8 (anything else is replaced)."""

    async def write(self, stream: Stream, data: bytes) -> None:
        """Hand over `data` as it came from the target; waits when storage is slower than the target."""

    async def mark_incomplete(self, stream: Stream, reason: str) -> None:
        """Say that output of this stream is missing from here on or at this place."""

    def position(self, stream: Stream) -> int:
        """Bytes of this stream that are safely stored: where a resumed attempt has to continue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """All a plug-in may know about the work it does."""

    run_id: UUID
    task_id: UUID
    attempt: int
    step: str
    target: TargetView | None
    credential: OpenedCredential | None
    parameters: Mapping[str, ParameterValue]
    secret_parameters: frozenset[str]
    """Names among `parameters` that must not be exported to child processes or shown."""
    output: OutputSink
    still_mine: Callable[[], None]
    """Raises `Fenced` when the lease is too old. Call it directly before the target is let act."""
    age_seconds: float = 0.0
    """How long ago the attempt began, on whatever executor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What the target told us; `unknown` when it may have acted and we were not told how it ended."""

    outcome: Literal["succeeded", "failed", "unknown"]
    exit_code: int | None = None
    cause: Cause | None = None
    words: Mapping[str, object] = field(default_factory=dict)
    """What fills the placeholders of the cause's texts."""
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Attempt(Protocol):
    """One try of one step on one target, got ready or taken over."""

    handle: Handle

    async def follow(self) -> StepOutcome:
        """Let the target act (unless it already does), stream its output, and return when it has ended.

        Cancelling this call stops following; it does not stop the command. Raises `StepFault`; with
        `acted=True` the outcome becomes `unknown` where the step may act at most once.
        """

    async def stop(self) -> bool:
        """Stop the whole process tree on the target. True if it is verified that nothing of it runs.

        May be called while `follow` runs and after it was cancelled. Returns within about 20 s. A command
        that had ended by itself before counts as verified, and `follow` still returns its true outcome.
        """

    async def release(self) -> None:
        """Remove what the attempt left on the target (shell, folder) and close connections. Never raises."""

    async def detach(self) -> None:
        """Close our connections and leave everything on the target as it is. Never raises."""


class StepPlugin(Protocol[Spec_contra]):
    """One step type. Stateless but for caches; safe for many attempts at once."""

    type: ClassVar[str]

    async def start(self, spec: Spec_contra, context: StepContext) -> Attempt:
        """Get everything ready so that only `follow` lets the target act, and know the handle.

        Raises `StepFault` (with `acted=False`) when it cannot; nothing stays behind on the target then.
        """

    async def resume(self, spec: Spec_contra, context: StepContext, handle: Handle) -> Attempt:
        """Take over by the handle of a lost worker, output from `context.output.position()` on.

        The other worker may have died before `follow` began: then the attempt has not acted, and `follow`
        lets it act once, which is found out from the target, never guessed. Raises `NotResumable` when the
        target answers but the command cannot be found there, `StepFault` when the target cannot be reached.
        """

    async def close(self) -> None:
        """Give back pools and cached connections at the end of the process."""


StoreHandle = Callable[[Handle], Awaitable[None]]
"""Stores the handle under the task's fence; raises `Fenced` when the task is no longer ours."""
