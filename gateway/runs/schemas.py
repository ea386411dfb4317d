"""What clients send and see of runs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from contracts.limits import TARGETS_PER_RUN
from contracts.runs.states import RunStatus, RunTrigger, TaskState
from contracts.targets.choosing import ChosenTargets, TargetName, TargetQuery
from gateway.schemas import Reason, Strict

SHOWN_SECRET = "•••"  # noqa: S105  (what is shown instead of one)

Parameters = Annotated[dict[str, Any], Field(max_length=100)]


class RunBody(Strict):
    """Values for the job's parameters, and targets other than the job's own: names, or a query."""

    parameters: Parameters = Field(default_factory=dict)
    targets: ChosenTargets | None = None
    even_if_inactive: bool = False
    """Start an inactive job by hand all the same; for those who may change jobs."""

    @field_validator("targets")
    @classmethod
    def _at_least_one(cls, chosen: ChosenTargets | None) -> ChosenTargets | None:
        if chosen == ():
            raise ValueError("must name at least one target")
        return chosen


class RunAccepted(BaseModel):
    id: UUID
    status: RunStatus


class RerunBody(Strict):
    """What of an earlier run to do again.

    `tasks`: `all`; `failed` on targets of which a task failed, timed out or stayed unknown; `not_succeeded`
    also where something was skipped, cancelled or never reached. `from_step` leaves out the steps that stand
    before it, `targets` all other targets. Parameters given here replace those of the first run. Its secrets
    are taken over as they are, sealed, unless others are given.
    """

    tasks: Literal["all", "failed", "not_succeeded"] = "all"
    from_step: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    targets: Annotated[list[TargetName], Field(min_length=1, max_length=TARGETS_PER_RUN)] | None = None
    version: Literal["same", "newest"] = "same"
    parameters: Parameters = Field(default_factory=dict)


class ResolveBody(Strict):
    """What somebody found out about a task of which nobody knew how it ended."""

    verdict: Literal["succeeded", "failed"]
    reason: Reason


class ResolutionView(BaseModel):
    task_id: UUID
    verdict: Literal["succeeded", "failed"]
    reason: str
    resolved_by: str
    resolved_at: datetime


class ProgressView(BaseModel):
    """Tasks by state. In lists as the run was last planned, which is moments ago; of one run as of now."""

    total: int = 0
    pending: int = 0
    ready: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    cancelled: int = 0
    skipped: int = 0
    unknown: int = 0


class RunView(BaseModel):
    """A run in a list. `duration_seconds` goes on counting until the run has ended."""

    id: UUID
    job_id: UUID
    job_name: str
    job_version: int
    status: RunStatus
    trigger: RunTrigger
    requested_by: str
    requested_by_name: str | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    progress: ProgressView
    targets_count: int
    """Targets of the widest step, or of the request while nothing is planned yet."""
    correlation_id: UUID
    rerun_of: UUID | None
    cancel_requested_at: datetime | None
    parked_by: UUID | None
    reason: str | None


class RunDetail(RunView):
    """`parameters` shows secrets as dots, `secrets` names them. `tasks` counts tasks by state as of now."""

    parameters: dict[str, Any]
    parameter_names: dict[str, str]
    """Of parameters that hold an id, the name of the credential or the stored file."""
    secrets: list[str]
    targets: list[str] | TargetQuery | None
    only_targets: list[str] | None
    from_step: str | None
    cancel_requested_by: str | None
    cancel_requested_by_name: str | None
    tally: list[dict[str, int]] | None
    """Per step what the last plan counted; `open` is everything released that has not ended."""
    tasks: dict[TaskState, int]


class StepError(BaseModel):
    code: str
    message: str
    hint: str | None


class StepProgress(BaseModel):
    """How far a step that runs is. `total` is null while nobody knows it."""

    done: int
    total: int | None
    unit: Literal["bytes", "items"]


class StepView(BaseModel):
    """One task: a step on a target, as its latest attempt left it. Output beyond 64 KiB is in the log."""

    task_id: UUID
    step: str
    type: str
    target: str | None
    attempt: int
    status: TaskState
    exit_code: int | None
    stdout: str
    stdout_truncated: bool
    stderr: str
    stderr_truncated: bool
    error: StepError | None
    outputs: dict[str, Any] | None
    progress: StepProgress | None
    resolution: Literal["succeeded", "failed"] | None
    parked_by: UUID | None
    waiting_for: str | None
    """Why a task that was released has not started, or was left behind, in words."""
    started_at: datetime | None
    finished_at: datetime | None
    truncated: bool
    output_incomplete: bool
