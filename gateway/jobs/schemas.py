"""What clients send and see of jobs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.targets.choosing import ChosenTargets
from gateway.jobs.lately import LatelyView
from gateway.schemas import Reason, Strict


class JobView(BaseModel):
    """A job in a list."""

    id: UUID
    name: str
    description: str | None
    active: bool
    inactive_reason: str | None
    labels: dict[str, str]
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    updated_by: str
    updated_by_name: str | None
    lately: LatelyView


class JobDetail(JobView):
    """A job with its current definition, as it was saved. `source` is the YAML text, if it was YAML."""

    definition: dict[str, Any]
    source: str | None


class JobVersionView(BaseModel):
    version: int
    current: bool
    definition: dict[str, Any]
    message: str | None
    created_by: str
    created_by_name: str | None
    created_at: datetime


class JobVersionDetail(JobVersionView):
    """`text` is the version as YAML, for reading and comparing: its author's own, or made in fixed order."""

    text: str
    authored: bool


class DeactivateBody(Strict):
    reason: Reason


class PreviewBody(Strict):
    """A definition as it would be saved, and targets to choose in place of its own."""

    definition: dict[str, Any]
    targets: Annotated[ChosenTargets | None, Field()] = None
