"""What clients send and see of runs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.jobs.steps import TargetName
from contracts.limits import TARGETS_PER_RUN
from contracts.runs.states import RunStatus, TaskState
from gateway.schemas import Reason, Strict

SHOWN_SECRET = "•••"  # noqa: S105  (what is shown instead of one)

Targets = Annotated[list[TargetName], Field(min_length=1, max_length=TARGETS_PER_RUN)]
Parameters = Annotated[dict[str, Any], Field(max_length=100)]


class RunBody(Strict):
    """Values for the job's parameters, and targets other than the job's own."""

    parameters: Parameters = Field(default_factory=dict)
    targets: Targets | None = None


class RunAccepted(BaseModel):
    id: UUID
    status: RunStatus


class RerunBody(Strict):
    """`failed` runs again only on targets of which a task did not succeed.

    Parameters given here replace those of the first run; its secrets must be given again.
    """

    tasks: Literal["all", "failed"] = "all"
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


class RunView(BaseModel):
    """A run in a list."""

    id: UUID
    job_id: UUID
    job_name: str
    job_version: int
    status: RunStatus
    requested_by: str
    requested_by_name: str | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    parked_by: UUID | None
    reason: str | None
    tally: list[Any] | None


class RunDetail(RunView):
    """`parameters` shows secrets as dots. `tasks` counts tasks by state as of now."""

    parameters: dict[str, Any]
    targets: list[str] | None
    correlation_id: UUID
    rerun_of: UUID | None
    cancel_requested_by: str | None
    tasks: dict[TaskState, int]


class StepError(BaseModel):
    code: str
    message: str
    hint: str | None


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
    resolution: Literal["succeeded", "failed"] | None
    parked_by: UUID | None
    waiting_for: str | None
    """Why a task that was released has not started, or was left behind, in words."""
    started_at: datetime | None
    finished_at: datetime | None
    truncated: bool
    output_incomplete: bool
