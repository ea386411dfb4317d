"""What each step type may say. Strict: an unknown option is refused, never ignored."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
POOL_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"

TargetName = Annotated[str, Field(min_length=1, max_length=253)]
StepName = Annotated[str, Field(pattern=NAME_PATTERN)]
Script = Annotated[str, Field(min_length=1, max_length=512 * 1024)]


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

    type: str
    name: StepName | None = None
    target: TargetName | tuple[TargetName, ...] | None = None
    """One target or several; the job's `targets`, or those chosen for the run, when left out."""
    needs: tuple[StepName, ...] | None = None
    """Steps that must have ended before. Left out: the step written before this one."""
    timeout_sec: Annotated[float, Field(gt=0, le=7 * 86_400)] = Field(600.0, alias="timeoutSec")
    retry: RetryPolicy = RetryPolicy()
    on_failure: Literal["stop", "continue"] = "stop"
    max_parallel: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Tasks of this step under way at once; the job's, when left out."""
    delivery: Literal["at_most_once", "at_least_once"] = "at_most_once"

    @field_validator("target", mode="before")
    @classmethod
    def _list_to_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class WinrmExec(StepSpec):
    """Run a PowerShell or cmd script on a Windows machine."""

    type: Literal["winrm.exec"]
    shell: Literal["powershell", "cmd"] = "powershell"
    command: Script


class SshExec(StepSpec):
    """Run a shell script on a Linux or Unix machine."""

    type: Literal["ssh.exec"]
    shell: Literal["sh", "bash"] = "sh"
    command: Script


class Wait(StepSpec):
    """Let time pass."""

    acts_on_target: ClassVar[bool] = False

    type: Literal["wait"]
    seconds: Annotated[float, Field(ge=0, le=7 * 86_400)]


AnyStep = Annotated[WinrmExec | SshExec | Wait, Field(discriminator="type")]

STEP_TYPES: tuple[type[StepSpec], ...] = (WinrmExec, SshExec, Wait)
