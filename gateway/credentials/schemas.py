"""What clients send and see of credentials; secrets go in and never come out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from contracts.credentials.types import SECRET_FIELDS, AccountName, CredentialType
from contracts.errors import FieldProblem, Invalid
from contracts.naming import Labels, ResourceName
from gateway.jobs.mentions import NamedJob
from gateway.schemas import Reason, Strict

Secret = Annotated[SecretStr, Field(min_length=1, max_length=65_536)]


class Secrets(Strict):
    """Which of them must be given depends on the type."""

    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None
    sudo_password: Secret | None = None
    token: Secret | None = None
    certificate: Secret | None = None
    """PEM, with what chains it to its CA."""

    def given(self) -> dict[str, str]:
        """The secrets in this body, in the clear: only to be sealed."""
        values = {name: getattr(self, name) for name in Secrets.model_fields}
        return {name: value.get_secret_value() for name, value in values.items() if value is not None}

    def for_type(self, type: CredentialType) -> dict[str, str]:
        """The secrets, when they are those a credential of this type has; raises `Invalid` otherwise."""
        fields, given = SECRET_FIELDS[type], self.given()
        problems = [
            FieldProblem(name, f"a {type.value} credential has no {name}")
            for name in given
            if name not in (*fields.one_of, *fields.all_of, *fields.optional)
        ]
        problems += [
            FieldProblem(name, f"a {type.value} credential needs {name}")
            for name in fields.all_of
            if name not in given
        ]
        if not any(name in given for name in fields.one_of):
            wanted = " or ".join(fields.one_of)
            problems.append(FieldProblem(fields.one_of[0], f"a {type.value} credential needs {wanted}"))
        if problems:
            raise Invalid("The secrets do not fit the type of the credential.", problems=problems)
        return given


class CredentialCreate(Secrets):
    name: ResourceName
    type: CredentialType
    username: AccountName = ""
    labels: Labels = Field(default_factory=dict)


class CredentialChange(Secrets):
    """Left out means unchanged; secrets make a new version when given."""

    name: ResourceName | None = None
    username: AccountName | None = None
    labels: Labels | None = None


class CredentialRotate(Secrets):
    """New secrets; the old version stays stored, sealed, for attempts under way."""


class ReleaseRequest(Strict):
    """Let a held credential be tried again as it is: on one target, or everywhere when left out."""

    reason: Reason
    target_id: UUID | None = None


class HoldView(BaseModel):
    """One target that rejected the current version. `run_id` is null when a connection test found out."""

    target_id: UUID
    target: str
    reason: str
    held_at: datetime
    run_id: UUID | None


class UsingTarget(BaseModel):
    id: UUID
    name: str


class UsedBy(BaseModel):
    """How many targets use it, how many jobs name it in a step or as a default, and ten of each by name."""

    targets: int
    sample: list[UsingTarget]
    jobs: int
    jobs_sample: list[NamedJob]


class CredentialView(BaseModel):
    id: UUID
    name: str
    type: CredentialType
    username: str
    labels: dict[str, str]
    version: int
    held_reason: str | None
    """Why it is tried nowhere; null unless the whole credential is on hold."""
    held_at: datetime | None
    holds: list[HoldView]
    """Targets on which it is not tried."""
    used_by: UsedBy
    created_by: str
    created_at: datetime
    updated_at: datetime
