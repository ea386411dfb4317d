"""What clients send and see of connection tests."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.tables.targets import TargetOs
from contracts.targets.specs import Hostname, Pool, SshSettings, WinrmSettings
from contracts.targets.testing import (
    ConnectionTestStatus,
    Presented,
    StageError,
    StageReport,
    Transport,
)
from gateway.schemas import Strict

TARGETS_AT_ONCE = 500


class ConnectionTestRequest(Strict):
    """What is left out is tested as it is stored. What is given is tested and not stored."""

    transport: Transport | None = None
    """The one of the target's system when left out: winrm for Windows, ssh for Linux."""
    hostname: Hostname | None = None
    winrm: WinrmSettings | None = None
    ssh: SshSettings | None = None
    credential_id: UUID | None = None

    def changes(self) -> bool:
        """Whether it tests something that is not stored with the target."""
        return bool(self.model_fields_set & {"hostname", "winrm", "ssh", "credential_id"})


class TargetQueryBody(Strict):
    """All that are given must fit."""

    os: TargetOs | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=320)]], Field(max_length=20)] = Field(
        default_factory=list
    )
    """`name` or `name=value`."""
    name: Annotated[str, Field(max_length=253)] | None = None
    """A part of the name."""
    pool: Pool | None = None


class BulkTestRequest(Strict):
    """Either the targets by id or a query, at most 500 targets."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=TARGETS_AT_ONCE)] | None = None
    query: TargetQueryBody | None = None


class ConnectionTestView(BaseModel):
    """A test as far as it is; `stages` is empty until it has ended."""

    id: UUID
    target_id: UUID
    target: str
    target_version: int
    transport: Transport
    hostname: str
    port: int
    credential_id: UUID | None
    unsaved: bool
    batch_id: UUID | None
    status: ConnectionTestStatus
    waiting_for: str | None
    stages: list[StageReport]
    presented: Presented
    error: StageError | None
    parked_by: UUID | None
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class BulkTestItem(BaseModel):
    id: UUID
    target_id: UUID
    target: str
    status: ConnectionTestStatus


class BulkTestAccepted(BaseModel):
    """The tests of one request; `GET /api/v1/connection-tests?batch_id=` lists them."""

    batch_id: UUID
    items: list[BulkTestItem]
