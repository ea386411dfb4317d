"""What every step may say, and what every step that runs a command may say."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contracts.patterns import line_pattern
from contracts.targets.choosing import ChosenTargets

_ONE_PARAMETER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}", re.ASCII)
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
POOL_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"

CredentialName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="The name of a credential, or {{ name }} of a parameter of type credential.",
    ),
]
StepName = Annotated[str, Field(pattern=NAME_PATTERN)]
Script = Annotated[str, Field(min_length=1, max_length=512 * 1024)]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Filled = Annotated[str, Field(max_length=64 * 1024)]
"""Text in which `{{ name }}` is replaced by the value: it travels as data, no shell reads it."""
RemotePath = Annotated[str, Field(min_length=1, max_length=4_096, pattern=r"^[^\x00-\x1f]+$")]


class RetryPolicy(BaseModel):
    """How often and how soon a failed task gets a new attempt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: Annotated[int, Field(ge=1, le=20)] = 1
    """Attempts in all, the first included."""
    backoff: Annotated[float, Field(ge=0, le=86_400)] = 5.0
    """Seconds before the second attempt; doubled for each further one, at most an hour."""

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after `attempt` (counted from 1) failed."""
        return min(self.backoff * 2.0 ** (attempt - 1), max(self.backoff, 3_600.0))


class StepSpec(BaseModel):
    """What every step may say; each step type adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    acts_on_target: ClassVar[bool] = True
    """False for steps that may also run without any target."""
    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = None
    """What it logs in to its target over (`own`: that of the target's system); None when it does not."""
    filled: ClassVar[tuple[str, ...]] = ()
    """Fields (texts, or maps and lists of texts) whose placeholders are replaced by plain values."""

    type: str
    name: StepName | None = None
    target: ChosenTargets | None = None
    """One target, several, or a query; the job's `targets`, or those chosen for the run, when left out."""
    needs: tuple[StepName, ...] | None = None
    """Steps that must have ended before. Left out: the step written before this one."""
    timeout_sec: Annotated[float, Field(gt=0, le=7 * 86_400)] = Field(600.0, alias="timeoutSec")
    retry: RetryPolicy = RetryPolicy()
    on_failure: Literal["stop", "continue"] = "stop"
    max_parallel: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Tasks of this step under way at once; the job's, when left out."""
    delivery: Literal["at_most_once", "at_least_once"] = "at_most_once"

    @property
    def needs_target(self) -> bool:
        """Whether it cannot run without a target."""
        return self.acts_on_target

    @property
    def logs_in(self) -> bool:
        """Whether it needs a session of the target's credential on the target."""
        return self.protocol is not None

    @property
    def said_credential(self) -> str | None:
        """What it says as its `credential`, if it can: a name, or one `{{ parameter }}`."""
        return None

    @property
    def credential_parameter(self) -> str | None:
        """The parameter whose value is the credential it uses."""
        found = _ONE_PARAMETER.fullmatch(self.said_credential or "")
        return found[1] if found else None

    @property
    def named_credential(self) -> str | None:
        """The credential it uses, by its name in the project."""
        return None if self.credential_parameter else self.said_credential


class RemoteStep(StepSpec):
    """What steps that log in to their target have in common."""

    credential: CredentialName | None = None
    """Instead of the target's own: its name, or `{{ name }}` of a parameter of type credential, whose empty
    value means the target's own."""

    @property
    def said_credential(self) -> str | None:
        return self.credential


class FailOn(BaseModel):
    """What makes a command that ended count as failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exit_code: bool = True
    """An exit code that is not among the step's `success_codes`."""
    error_stream: bool = False
    """Anything written to the error stream (PowerShell: an error record, also a non-terminating one)."""
    pattern: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """A line of output, of either stream, in which this regular expression (RE2) is found."""

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            line_pattern(value)
        return value


class ExecSpec(RemoteStep):
    """A command on the target; each step type says what is run."""

    filled: ClassVar[tuple[str, ...]] = ("env", "cwd", "stdin")

    @property
    def notices(self) -> tuple[str, ...]:
        """How lines of the error stream begin that tell of something other than an error."""
        return ()

    env: dict[EnvironmentName, Filled] = Field(default_factory=dict, max_length=100)
    """Environment variables of the command."""
    cwd: RemotePath | None = None
    """Folder the command starts in; the account's own when left out."""
    stdin: Annotated[str, Field(max_length=256 * 1024)] | None = None
    """What the command reads from its standard input; nothing when left out."""
    success_codes: Annotated[tuple[int, ...], Field(min_length=1, max_length=100)] = (0,)
    """Exit codes that mean success, for example 0 and 3010 of a Windows installer."""
    fail_on: FailOn = FailOn()
    idle_timeout_sec: Annotated[float, Field(gt=0, le=7 * 86_400)] | None = Field(
        None, alias="idleTimeoutSec"
    )
    """Longest silence on both streams before the command is stopped."""
