"""What kinds of credentials there are, and which secrets each must hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CredentialType(StrEnum):
    WINRM = "winrm"
    SSH = "ssh"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class SecretFields:
    """`one_of`: at least one of these must be given; `optional`: may be given besides."""

    one_of: tuple[str, ...]
    optional: tuple[str, ...] = ()


SECRET_FIELDS: Mapping[CredentialType, SecretFields] = {
    CredentialType.WINRM: SecretFields(("password",)),
    CredentialType.SSH: SecretFields(("password", "private_key"), ("passphrase",)),
    CredentialType.API_KEY: SecretFields(("token",)),
}
