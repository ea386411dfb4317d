"""What clients send and see of targets."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.jobs.steps import POOL_PATTERN
from contracts.tables.targets import TargetOs
from contracts.targets.specs import SshSettings, WinrmSettings
from contracts.topology import DEFAULT_POOL
from gateway.schemas import ResourceName, Strict

Hostname = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:%\[\]-]+$")]
Pool = Annotated[str, Field(pattern=POOL_PATTERN)]
TagName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x20=,]+$")]
TagValue = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Tags = Annotated[dict[TagName, TagValue], Field(max_length=100)]


class TargetSpec(Strict):
    """A whole target: creating and replacing take the same document. Tags may also be a list of words."""

    name: ResourceName
    os: TargetOs
    hostname: Hostname
    credential_id: UUID | None = None
    tags: Tags | Annotated[list[TagName], Field(max_length=100)] = Field(default_factory=dict)
    pool: Pool = DEFAULT_POOL
    winrm: WinrmSettings = WinrmSettings()
    ssh: SshSettings = SshSettings()

    def tag_map(self) -> dict[str, str]:
        return self.tags if isinstance(self.tags, dict) else dict.fromkeys(self.tags, "")


class TargetView(BaseModel):
    id: UUID
    name: str
    os: TargetOs
    hostname: str
    credential_id: UUID | None
    tags: dict[str, str]
    pool: str
    winrm: WinrmSettings
    ssh: SshSettings
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
