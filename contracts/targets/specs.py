"""How a target is reached. Strict: an executor refuses an option it does not know."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class WinrmSettings(BaseModel):
    """WinRM endpoint. The port follows the scheme unless given: 5985 for http, 5986 for https."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: Literal["http", "https"] = "https"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    path: Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$", max_length=200)] = "/wsman"
    transport: Literal["ntlm", "basic"] = "ntlm"
    verify_tls: bool = True
    ca_bundle: Annotated[str, Field(max_length=65536)] | None = None
    """PEM certificates to trust instead of the system's."""
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the server certificate (DER), hex: the only certificate accepted when set."""
    oem_codepage: Annotated[str, Field(pattern=r"^cp[0-9]{3,5}$")] = "cp437"
    """For output that is not UTF-8."""
    max_concurrent: Annotated[int, Field(ge=1, le=100)] = 4
    """Shells of one user at once on this target."""

    @model_validator(mode="after")
    def no_password_in_the_clear(self) -> "WinrmSettings":
        if self.transport == "basic" and self.scheme == "http":
            raise ValueError("basic over http sends the password in the clear; use https, or ntlm over http")
        return self

    @property
    def effective_port(self) -> int:
        return self.port or (5986 if self.scheme == "https" else 5985)


class SshSettings(BaseModel):
    """SSH endpoint. Host keys are verified: without a pinned key nothing is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=1, le=65535)] = 22
    host_key: Annotated[str, Field(max_length=8192)] | None = None
    """Pinned public key in OpenSSH form: `ssh-ed25519 AAAA…`; several, one a line."""
    max_concurrent: Annotated[int, Field(ge=1, le=100)] = 10
    """Sessions of one user at once on this target."""
