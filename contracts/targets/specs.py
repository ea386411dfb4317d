"""How a target is reached. Strict: an executor refuses an option it does not know."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts.fingerprints import Fingerprint, plain_host_keys
from contracts.jobs.steps import POOL_PATTERN

PROXY_PATTERN = r"^https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/?$"

Hostname = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:%\[\]-]+$")]
Pool = Annotated[str, Field(pattern=POOL_PATTERN)]
TagName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x20=,]+$")]
TagValue = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Tags = Annotated[dict[TagName, TagValue], Field(max_length=100)]


class WinrmSettings(BaseModel):
    """WinRM endpoint. The port follows the scheme unless given: 5985 for http, 5986 for https."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: Literal["http", "https"] = "https"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    path: Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$", max_length=200)] = "/wsman"
    transport: Literal["ntlm", "basic", "certificate", "credssp", "kerberos"] = "ntlm"
    """`certificate` needs https and a credential of that type; `credssp` and `kerberos` extra packages."""
    message_encryption: Literal["auto", "always", "never"] = "auto"
    """Messages sealed by the login's own key. `auto`: over http; `always`: over https too; `never`: not."""
    allow_basic_over_http: bool = False
    """Lets `basic` send the password, and everything else, readable for anybody on the way."""
    proxy: Annotated[str, Field(pattern=PROXY_PATTERN, max_length=300)] | None = None
    """`http://host:port` of a proxy to go through; the proxies of the worker's environment are never used."""
    kerberos_hostname_override: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")] | None = None
    """The host's name in its service principal `HTTP/NAME`, where it is not the target's `hostname`."""
    kerberos_delegation: bool = False
    """Hands the ticket on, so that commands can reach other machines as this account."""
    verify_tls: bool = True
    ca_bundle: Annotated[str, Field(max_length=65536)] | None = None
    """PEM certificates to trust instead of the system's."""
    fingerprint: Fingerprint | None = None
    """SHA-256 of the server certificate (DER), hex: the only certificate accepted when set."""
    oem_codepage: Annotated[str, Field(pattern=r"^cp[0-9]{3,5}$")] = "cp437"
    """For output that is not UTF-8."""
    max_concurrent: Annotated[int, Field(ge=1, le=100)] = 4
    """Shells of one user at once on this target."""

    @model_validator(mode="after")
    def transport_fits(self) -> "WinrmSettings":
        if self.scheme == "http":
            self._fits_http()
        if self.message_encryption == "always" and self.transport in {"basic", "certificate"}:
            raise ValueError(f"{self.transport} has no key to seal messages with: use auto or never")
        return self

    def _fits_http(self) -> None:
        if self.transport == "certificate":
            raise ValueError("a certificate can only be shown over https")
        if self.transport == "basic" and not self.allow_basic_over_http:
            raise ValueError(
                "basic over http sends the password in the clear; use https, or ntlm over http "
                "(or set allow_basic_over_http knowingly)"
            )
        if self.message_encryption == "never":
            raise ValueError("message_encryption never over http sends commands and output in the clear")

    @property
    def effective_port(self) -> int:
        return self.port or (5986 if self.scheme == "https" else 5985)


JUMPS_AT_MOST = 3


class JumpHost(BaseModel):
    """A machine that connections go through: another target, with its own credential and pinned key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Annotated[str, Field(min_length=1, max_length=253)]
    """The target's name."""


class SshSettings(BaseModel):
    """SSH endpoint. Host keys are verified: without a pinned key nothing is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=1, le=65535)] = 22
    host_key: Annotated[str, Field(max_length=8192), BeforeValidator(plain_host_keys)] | None = None
    """Pinned public key in OpenSSH form: `ssh-ed25519 AAAA…`; several, one a line."""
    max_concurrent: Annotated[int, Field(ge=1, le=100)] = 10
    """Sessions of one user at once on this target."""
    jump_host: JumpHost | None = None
    """Go through this machine, which may have a jump host itself: at most three in a row."""
