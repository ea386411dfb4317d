"""Credentials as documents: everything but their secrets, or where those are found on this machine."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from cli.kinds.documents import Envelope, Kind, Ref, Strict
from contracts.credentials.types import SECRET_FIELDS, AccountName, CredentialType
from contracts.errors import FieldProblem


class ValueFrom(Strict):
    """Read where the command runs, when the credential is created."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ValueFrom":
        if (self.env is None) == (self.file is None):
            raise ValueError("give env or file, one of both")
        return self


class SecretSource(Strict):
    valueFrom: ValueFrom  # noqa: N815  (spelled as everywhere in such documents)


class CredentialSpec(Strict):
    type: CredentialType
    username: AccountName = ""
    secrets: dict[str, SecretSource] = Field(default_factory=dict)


class CredentialDocument(Envelope):
    kind: Literal["Credential"]
    spec: CredentialSpec


class CredentialKind(Kind):
    name = "Credential"
    plural = "credentials"
    model = CredentialDocument

    def check(self, document: CredentialDocument) -> Sequence[FieldProblem]:
        known = secret_names(document.spec.type)
        return [
            FieldProblem(
                f"spec.secrets.{name}",
                f"a {document.spec.type.value} credential has no {name}; it has {', '.join(known)}",
            )
            for name in document.spec.secrets
            if name not in known
        ]

    def normal(self, document: CredentialDocument) -> dict[str, Any]:
        """Without secrets: nobody can compare them."""
        spec = document.spec.model_dump(mode="json", exclude={"secrets"})
        return {"metadata": {"name": document.metadata.name}, "spec": spec}

    def exported(self, view: Mapping[str, Any]) -> dict[str, Any]:
        spec = {"type": view["type"], "username": view["username"]}
        return self.wrapped(
            {"name": view["name"]}, {name: value for name, value in spec.items() if value != ""}
        )

    def body(self, document: CredentialDocument, ids: Mapping[Ref, str]) -> dict[str, Any]:
        return {"name": document.metadata.name, **self.normal(document)["spec"]}


def secret_names(kind: CredentialType) -> tuple[str, ...]:
    fields = SECRET_FIELDS[kind]
    return (*fields.one_of, *fields.all_of, *fields.optional)


def missing_secrets(kind: CredentialType, given: Mapping[str, Any]) -> str | None:
    """What has to be given besides, in words; None when nothing is missing."""
    fields = SECRET_FIELDS[kind]
    wanted = [] if any(name in given for name in fields.one_of) else [" or ".join(fields.one_of)]
    wanted += [name for name in fields.all_of if name not in given]
    return " and ".join(wanted) or None
