"""What `up` makes up once and keeps: keys and passwords, readable by the data folder's owner only."""

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from infra.private_files import write_private
from infra.sealing import generate_pair

SANDBOX_USER = "operator"
AMQP_USER = "opsconductor"
JWT_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Keys are named by their files, so that they stand in nobody's environment."""

    private_key_file: Path
    public_key_file: Path
    jwt_keys_file: Path
    host_key_file: Path
    """Made by the sandbox itself at its first start."""
    amqp_password: str = field(repr=False)
    sandbox_password: str = field(repr=False)


def keep_secrets(folder: Path) -> Secrets:
    """The secrets in `folder`; those that are missing are made now."""
    private, public = folder / "seal-private.pem", folder / "seal-public.pem"
    if not (private.exists() and public.exists()):
        write_key_pair(private, public)
    jwt_keys = folder / "jwt-keys"
    if not jwt_keys.exists():
        write_private(jwt_keys, new_jwt_key() + "\n")
    return Secrets(
        private_key_file=private,
        public_key_file=public,
        jwt_keys_file=jwt_keys,
        host_key_file=folder / "sandbox-ssh-host-key",
        amqp_password=_kept(folder / "amqp-password"),
        sandbox_password=_kept(folder / "sandbox-password"),
    )


def write_key_pair(private: Path, public: Path) -> None:
    """A new sealing key pair; the private half first, so that no public key is without its private one."""
    private_pem, public_pem = generate_pair()
    write_private(private, private_pem)
    write_private(public, public_pem)


def new_jwt_key() -> str:
    """One signing key as `OPS_JWT_KEYS` takes it."""
    return f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(JWT_BYTES)).decode()}"


def new_password() -> str:
    """A password that people can type: four groups of five letters and digits, about 100 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def _kept(file: Path) -> str:
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text(encoding="utf-8").strip()


class FirstPassword:
    """The first administrator's password: kept from before the account exists until it has been shown."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "admin-password"

    def make(self) -> str:
        """The password to create the account with; the same one until `shown`."""
        if not self._file.exists():
            write_private(self._file, new_password())
        return self._file.read_text(encoding="utf-8").strip()

    def unseen(self) -> str | None:
        """The password when it was never shown; None otherwise."""
        return self._file.read_text(encoding="utf-8").strip() if self._file.exists() else None

    def shown(self) -> None:
        self._file.unlink(missing_ok=True)
