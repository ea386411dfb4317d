"""What clients send and see of targets."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.fingerprints import Fingerprint
from contracts.naming import Labels, ResourceName
from contracts.runs.states import RunStatus, TaskState
from contracts.tables.targets import TargetOs
from contracts.targets.specs import Hostname, Pool, SshSettings, TagName, Tags, WinrmSettings
from contracts.targets.testing import ConnectionTestStatus
from contracts.topology import DEFAULT_POOL
from gateway.schemas import Strict


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
    labels: Labels | None = None
    """Those it has stay when this is left out."""

    def tag_map(self) -> dict[str, str]:
        return self.tags if isinstance(self.tags, dict) else dict.fromkeys(self.tags, "")


class PinRequest(Strict):
    """What of a finished test is to be trusted from now on: one of both."""

    test_id: UUID
    host_key: Annotated[str, Field(min_length=1, max_length=8_192)] | None = None
    """A host key as the test presents it, or its `SHA256:…` fingerprint; for ssh."""
    fingerprint: Fingerprint | None = None
    """SHA-256 of the certificate as the test presents it, hex; for winrm."""


class LastTestView(BaseModel):
    """The newest connection test of what is stored. `code` and `message` are null unless it failed."""

    id: UUID
    status: ConnectionTestStatus
    at: datetime
    code: str | None
    message: str | None


class LastRunView(BaseModel):
    """The newest run with a task here. `status` is the worst its tasks on this target came to."""

    id: UUID
    job_id: UUID
    job_name: str
    status: TaskState
    run_status: RunStatus
    at: datetime
    """When the last of its tasks here ended, else when they began, else when the run was asked for."""


class TargetWarning(BaseModel):
    """Something a person should know whenever they look at the target."""

    code: Literal["tls_unverified", "host_key_unpinned", "credential_held"]
    message: str


class TargetView(BaseModel):
    id: UUID
    name: str
    os: TargetOs
    hostname: str
    credential_id: UUID | None
    credential_name: str | None
    tags: dict[str, str]
    labels: dict[str, str]
    pool: str
    winrm: WinrmSettings
    ssh: SshSettings
    facts: dict[str, Any] | None
    """What a `facts` step found out last."""
    facts_at: datetime | None
    version: int
    last_test: LastTestView | None
    last_run: LastRunView | None
    warnings: list[TargetWarning]
    created_by: str
    created_at: datetime
    updated_at: datetime
