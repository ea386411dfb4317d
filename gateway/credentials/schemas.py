"""What clients send and see of credentials; secrets go in and never come out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from contracts.credentials.types import SECRET_FIELDS, CredentialType
from contracts.errors import FieldProblem, Invalid
from gateway.schemas import ResourceName, Strict

Secret = Annotated[SecretStr, Field(min_length=1, max_length=65_536)]
AccountName = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Secrets(Strict):
    """Which of them must be given depends on the type."""

    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None
    token: Secret | None = None

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
            if name not in (*fields.one_of, *fields.optional)
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


class CredentialChange(Secrets):
    """Left out means unchanged; secrets make a new version when given."""

    name: ResourceName | None = None
    username: AccountName | None = None


class CredentialRotate(Secrets):
    """New secrets; the old version stays stored, sealed, for attempts under way."""


class CredentialView(BaseModel):
    id: UUID
    name: str
    type: CredentialType
    username: str
    version: int
    held_reason: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
