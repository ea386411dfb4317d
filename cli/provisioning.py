"""The secrets of a system of containers: made once, one folder for each of those who may read them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cli.client.problems import CliError
from cli.up.secrets import AMQP_USER, new_jwt_key, new_password, write_key_pair
from infra.certificates import self_signed
from infra.private_files import write_private
from infra.rabbitmq.accounts import accounts
from infra.rabbitmq.definitions import definitions

CERTIFICATE_NAME = "OpsConductor first start"
CERTIFICATE_DAYS = 397
RENEW_DAYS = 30
ALWAYS_NAMED = ("localhost", "127.0.0.1", "::1")
GROUP_READABLE = 0o440
"""A service that runs as another user joins our group; nobody else sees the volume at all."""


@dataclass(frozen=True, slots=True)
class Provision:
    """Where each secret lies. A container is given only the folders that it needs."""

    root: Path

    @property
    def superuser_password(self) -> Path:
        return self.root / "postgres" / "superuser-password"

    @property
    def database_password(self) -> Path:
        return self.root / "database" / "password"

    @property
    def broker_definitions(self) -> Path:
        return self.root / "rabbitmq" / "definitions.json"

    @property
    def broker_password(self) -> Path:
        return self.root / "broker" / "password"

    @property
    def jwt_keys(self) -> Path:
        return self.root / "gateway" / "jwt-keys"

    @property
    def public_key(self) -> Path:
        return self.root / "gateway" / "seal-public.pem"

    @property
    def first_admin_password(self) -> Path:
        return self.root / "gateway" / "first-admin-password"

    @property
    def private_key(self) -> Path:
        return self.root / "executor" / "seal-private.pem"

    @property
    def certificate(self) -> Path:
        return self.root / "certificate" / "tls.crt"

    @property
    def certificate_key(self) -> Path:
        return self.root / "certificate" / "tls.key"


def provision(root: Path, *, hosts: Sequence[str], now: datetime) -> list[str]:
    """Make what is missing under `root`; the names of what was written, empty when all was there.

    Raises `CliError` when the private sealing key is gone but its public half is not: a new pair would open
    none of the stored secrets.
    """
    place, written = Provision(root), list[Path]()
    for file in (place.superuser_password, place.database_password, place.broker_password):
        written += _kept(file, new_password)
    written += _kept(place.first_admin_password, new_password)
    written += _kept(place.jwt_keys, new_jwt_key)
    written += _sealing_pair(place)
    written += _broker_definitions(place)
    written += _certificate(place, hosts, now)
    for file in written:
        file.chmod(GROUP_READABLE)
    return [str(file.relative_to(root)) for file in written]


def _write(file: Path, text: str) -> list[Path]:
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_private(file, text)
    return [file]


def _kept(file: Path, make: Callable[[], str]) -> list[Path]:
    return [] if file.exists() else _write(file, make() + "\n")


def _sealing_pair(place: Provision) -> list[Path]:
    private, public = place.private_key, place.public_key
    if private.exists():
        return _kept(public, lambda: _public_half(private))
    if public.exists():
        raise CliError(
            f"{public} is there, but the private key that belongs to it, {private}, is not.",
            hints=("Put it back from your backup: without it no stored secret can be opened again.",),
        )
    for file in (private, public):
        file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_key_pair(private, public)
    return [private, public]


def _public_half(private: Path) -> str:
    """For a start that was cut off between the two halves."""
    key = load_pem_private_key(private.read_bytes(), password=None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode().rstrip()


def _broker_definitions(place: Provision) -> list[Path]:
    """Topology and account; written anew when a release changes the topology."""
    password = place.broker_password.read_text().strip()
    wanted = orjson.dumps(accounts(AMQP_USER, password) | definitions(), option=orjson.OPT_INDENT_2).decode()
    file = place.broker_definitions
    return [] if file.exists() and file.read_text() == wanted else _write(file, wanted)


def _certificate(place: Provision, hosts: Sequence[str], now: datetime) -> list[Path]:
    """A certificate for the first start, renewed before it ends; one that others made is left alone."""
    if place.certificate.exists() and place.certificate_key.exists() and not _to_renew(place, hosts, now):
        return []
    names = tuple(dict.fromkeys([*hosts, *ALWAYS_NAMED]))
    made = self_signed(
        CERTIFICATE_NAME, names, now - timedelta(hours=1), now + timedelta(days=CERTIFICATE_DAYS)
    )
    return _write(place.certificate_key, made.key) + _write(place.certificate, made.certificate)


def _to_renew(place: Provision, hosts: Sequence[str], now: datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(place.certificate.read_bytes())
    if CERTIFICATE_NAME not in certificate.subject.rfc4514_string():
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = {str(each.value) for each in names}
    return not named.issuperset(hosts) or certificate.not_valid_after_utc < now + timedelta(days=RENEW_DAYS)
