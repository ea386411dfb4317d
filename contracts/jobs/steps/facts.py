"""Steps that look at a target."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.jobs.steps.base import RemoteStep


class CollectFacts(RemoteStep):
    """Ask a target about itself; the answer is stored on the target, where queries find it."""

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "own"

    type: Literal["facts"]
    delivery: Literal["at_most_once", "at_least_once"] = "at_least_once"
    """It only reads."""
    timeout_sec: Annotated[float, Field(gt=0, le=3_600)] = Field(120.0, alias="timeoutSec")
