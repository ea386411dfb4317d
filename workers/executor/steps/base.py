"""What a step plug-in is: `start` gets ready, the handle is stored, `follow` lets the target act.

A plug-in never decides about retries, leases or the database. It talks to one target, reports what the target
said, and can be asked to stop, to let go, or to take over what a lost worker began.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar
from uuid import UUID

from contracts.binding import ParameterValue
from contracts.causes import CAUSES, Cause, filled
from contracts.jobs.steps import StepSpec
from contracts.targets.specs import SshSettings, WinrmSettings

Handle = Mapping[str, Any]
"""JSON-able, at most `limits.HANDLE_BYTES`: all that another executor needs to find the command again."""

Stream = Literal["stdout", "stderr"]

Spec_contra = TypeVar("Spec_contra", bound=StepSpec, contravariant=True)


class StepFault(Exception):
    """The step could not be done; `acted` says whether the target may have begun to act."""

    def __init__(self, code: str, *, acted: bool = False, **words: object) -> None:
        self.cause: Cause = CAUSES[code]
        self.acted = acted
        self.words = words
        super().__init__(code)

    @property
    def message(self) -> str:
        """What happened, for a person to read."""
        return filled(self.cause.message, self.words)


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
    jump: "JumpHop | None" = None
    """What SSH connections to it go through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpHop:
    """A jump host with what opens it; `target.jump` is the one before it."""

    target: TargetView
    credential: "OpenedCredential"


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
class ArtifactInfo:
    """A stored file: what was uploaded for a step, or what a step brought back."""

    id: UUID
    name: str
    size: int
    sha256: str


class ArtifactWriter(Protocol):
    """A new artifact, not visible to anybody until it is finished."""

    async def write(self, data: bytes) -> None:
        """Append; raises `StepFault("artifact_too_large")` beyond the size allowed."""

    async def finish(self, *, sha256: str | None = None) -> ArtifactInfo:
        """Make it whole and visible. Raises `StepFault("hash_mismatch")` for another hash than `sha256`."""

    async def discard(self) -> None:
        """Remove what was written. Never raises."""


class Artifacts(Protocol):
    """The stored files of the task's project."""

    async def info(self, artifact_id: UUID) -> ArtifactInfo:
        """Raises `StepFault("artifact_missing")` when there is none of this id (any more)."""

    async def resolve(self, src: str) -> ArtifactInfo:
        """What `src` of an upload names: an artifact's id, or `step:<name>` for what that step brought back.

        Of a step: what it brought from the same target in this run, else the only one it brought. Raises
        `StepFault`: artifact_missing, artifact_ambiguous.
        """

    def read(self, artifact_id: UUID, *, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes from `offset` on, in pieces of at most 1 MiB."""

    async def create(self, name: str) -> ArtifactWriter:
        """Begin a new artifact that belongs to the task."""

    async def pull_url(self, artifact_id: UUID) -> str | None:
        """A URL good for one download by the target; None where this system has no public address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long piece of work is. `total` is None while nobody knows it."""

    done: int
    total: int | None
    unit: Literal["bytes", "items"] = "bytes"


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
    artifacts: Artifacts
    age_seconds: float = 0.0
    """How long ago the attempt began, on whatever executor."""
    take_overs: int = 0
    """How many executors held this attempt before this one."""
    over: bool = False
    """The task has ended: nobody goes on with what an attempt of it has left."""
    restarting: bool = False
    """The host comes and goes: that it turns somebody away says nothing of the credential."""
    report: Callable[[Progress], None] = lambda _: None
    """Tells how far the work is. Cheap, never waits; most reports are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What the target told us; `unknown` when it may have acted and we were not told how it ended.

    A command that ended is `ended`, with its exit code: whether that is success is judged elsewhere
    (`judging`), by what the step says.
    """

    outcome: Literal["ended", "succeeded", "failed", "unknown"]
    exit_code: int | None = None
    cause: Cause | None = None
    """Of an `ended` command: a better explanation than its exit code, if that turns out to be a failure."""
    words: Mapping[str, object] = field(default_factory=dict)
    """What fills the placeholders of the cause's texts."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] | None = None
    """What the target told of itself; stored on the target when the task settles."""


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

    async def release(self) -> str | None:
        """Remove what the attempt left on the target (shell, folder) and close connections. Never raises.

        Why something of it may still be there, in words; None when nothing is.
        """

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

    async def tidy(self, spec: Spec_contra, context: StepContext, handle: Handle | None) -> None:
        """Remove what an attempt that is over left on the target because its worker died before `release`.

        `handle` is what was stored; workers may have died before they stored one. What the next attempt of
        the task goes on with is kept until there will be none (`context.over`). Lets nothing act. Raises
        `StepFault` when the target does not let us.
        """

    def leaves(self, spec: Spec_contra, context: StepContext) -> str:
        """What `tidy` looks for, and where, in words for whoever has to remove it by hand."""

    async def close(self) -> None:
        """Give back pools and cached connections at the end of the process."""


StoreHandle = Callable[[Handle], Awaitable[None]]
"""Stores the handle under the task's fence; raises `Fenced` when the task is no longer ours."""
