"""What kinds of credentials there are, and which secrets each must hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

AccountName = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CredentialType(StrEnum):
    WINRM = "winrm"
    SSH = "ssh"
    API_KEY = "api_key"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class SecretFields:
    """`one_of`: at least one of these must be given; `all_of`: each of these; `optional`: may be given."""

    one_of: tuple[str, ...]
    optional: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()


SECRET_FIELDS: Mapping[CredentialType, SecretFields] = {
    CredentialType.WINRM: SecretFields(("password",)),
    CredentialType.SSH: SecretFields(("password", "private_key"), ("passphrase", "sudo_password")),
    CredentialType.API_KEY: SecretFields(("token",)),
    CredentialType.CERTIFICATE: SecretFields(("private_key",), ("passphrase",), ("certificate",)),
}
