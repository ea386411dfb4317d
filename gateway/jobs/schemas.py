"""What clients send and see of jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class JobView(BaseModel):
    """A job in a list."""

    id: UUID
    name: str
    active: bool
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class JobDetail(JobView):
    """A job with its current definition, as it was saved."""

    definition: dict[str, Any]


class JobVersionView(BaseModel):
    version: int
    definition: dict[str, Any]
    created_by: str
    created_at: datetime
