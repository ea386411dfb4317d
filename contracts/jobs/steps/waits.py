"""Steps that wait."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.jobs.steps.base import Filled, RemoteStep, StepSpec


class Wait(StepSpec):
    """Let time pass."""

    acts_on_target: ClassVar[bool] = False

    type: Literal["wait"]
    seconds: Annotated[float, Field(ge=0, le=7 * 86_400)]


class WaitPort(StepSpec):
    """Try a TCP port until it is open, or closed. From the executor, not from the target."""

    acts_on_target: ClassVar[bool] = False
    filled: ClassVar[tuple[str, ...]] = ("host",)

    type: Literal["wait.port"]
    delivery: Literal["at_most_once", "at_least_once"] = "at_least_once"
    """It only looks."""
    host: Annotated[Filled, Field(min_length=1)] | None = None
    """The target's own host name when left out. Another one must be public, or in OPS_EGRESS_ALLOW."""
    port: Annotated[int, Field(ge=1, le=65535)]
    state: Literal["open", "closed"] = "open"
    interval_sec: Annotated[float, Field(ge=0.1, le=300)] = Field(2.0, alias="intervalSec")
    connect_timeout_sec: Annotated[float, Field(gt=0, le=60)] = Field(3.0, alias="connectTimeoutSec")

    @property
    def needs_target(self) -> bool:
        return self.host is None


class WaitReboot(RemoteStep):
    """Reboot a target, at most once, and wait until it has really started anew."""

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "own"

    type: Literal["wait.reboot"]
    reboot: bool = True
    """False: somebody else reboots it; only wait."""
    timeout_sec: Annotated[float, Field(gt=0, le=86_400)] = Field(900.0, alias="timeoutSec")
    interval_sec: Annotated[float, Field(ge=0.1, le=300)] = Field(5.0, alias="intervalSec")
