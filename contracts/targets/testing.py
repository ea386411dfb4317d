"""What a connection test says: one report a stage, and what the machine showed of itself."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

TIME_LIMIT_SECONDS = 25.0
"""Within which a whole test ends, whatever the machine does."""


class ConnectionTestStatus(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


ENDED = frozenset({ConnectionTestStatus.SUCCEEDED, ConnectionTestStatus.FAILED})

Transport = Literal["winrm", "ssh"]
Stage = Literal["dns", "tcp", "tls", "host_key", "auth", "command"]

STAGES: dict[Transport, tuple[Stage, ...]] = {
    "winrm": ("dns", "tcp", "tls", "auth", "command"),
    "ssh": ("dns", "tcp", "host_key", "auth", "command"),
}
"""In the order they are gone through."""


class StageError(BaseModel):
    """A typed cause of the catalogue, with its texts filled in."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    hint: str


class StageReport(BaseModel):
    """How one stage went. `ms` is null for a stage that was skipped."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    status: Literal["ok", "failed", "skipped"]
    ms: float | None
    detail: str
    """In words: what was found, or why it was skipped."""
    error: StageError | None


class PresentedKey(BaseModel):
    """One SSH host key, in OpenSSH form. `fingerprint` is `SHA256:…` as ssh-keygen prints it."""

    model_config = ConfigDict(frozen=True)

    algorithm: str
    fingerprint: str
    key: str
    pinned: bool


class PresentedCertificate(BaseModel):
    """A server certificate. `fingerprint` is the SHA-256 of its DER form, hex."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    subject: str
    issuer: str
    names: list[str]
    not_before: str
    not_after: str
    """Instants in UTC, ISO 8601."""
    trusted: bool
    pinned: bool


class Presented(BaseModel):
    """What the machine showed of itself, as far as the test came."""

    model_config = ConfigDict(frozen=True)

    addresses: list[str] = Field(default_factory=list)
    banner: str | None = None
    host_keys: list[PresentedKey] = Field(default_factory=list)
    certificate: PresentedCertificate | None = None
    auth_methods: list[str] = Field(default_factory=list)
    system: dict[str, str] = Field(default_factory=dict)
    """What the command found: `os`, `shell`, `powershell`, `sudo`, quotas."""
