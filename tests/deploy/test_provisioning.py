"""The secrets of a system of containers: made once, apart for each reader, and never replaced silently."""

import base64
import hashlib
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.client.problems import CliError
from cli.provisioning import CERTIFICATE_DAYS, Provision, provision
from infra.jwt_keys import parse_jwt_keys
from infra.passwords import require_strong
from infra.rabbitmq.accounts import password_hash
from infra.sealing import PrivateRing, PublicSealer

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def contents(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_the_first_start_makes_all_and_the_second_changes_nothing(tmp_path: Path) -> None:
    made = provision(tmp_path, hosts=["ops.test"], now=NOW)
    before = contents(tmp_path)

    assert sorted(made) == sorted(before)
    assert provision(tmp_path, hosts=["ops.test"], now=NOW + timedelta(days=300)) == []
    assert contents(tmp_path) == before


def test_what_is_made_can_be_used(tmp_path: Path) -> None:
    provision(tmp_path, hosts=[], now=datetime.now(UTC))
    place = Provision(tmp_path)

    parse_jwt_keys(str(place.jwt_keys))
    require_strong(place.first_admin_password.read_text().strip(), username="admin")
    sealed = PublicSealer(place.public_key.read_text()).seal({"a": "b"}, bound_to="x")
    assert PrivateRing([place.private_key.read_text()]).open(sealed, bound_to="x") == {"a": "b"}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place.certificate, place.certificate_key)


def test_nothing_is_readable_by_everybody(tmp_path: Path) -> None:
    provision(tmp_path, hosts=[], now=NOW)

    for file in tmp_path.rglob("*"):
        assert not file.stat().st_mode & 0o007, file


def test_two_systems_share_no_secret(tmp_path: Path) -> None:
    for name in ("a", "b"):
        provision(tmp_path / name, hosts=[], now=NOW)

    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert not [name for name in first if first[name] == second[name]]


def test_a_lost_private_key_is_not_replaced_while_its_public_half_is_there(tmp_path: Path) -> None:
    provision(tmp_path, hosts=[], now=NOW)
    Provision(tmp_path).private_key.unlink()

    with pytest.raises(CliError, match="the private key that belongs to it") as caught:
        provision(tmp_path, hosts=[], now=NOW)

    assert "backup" in caught.value.hints[0]
    assert not Provision(tmp_path).private_key.exists()


def test_a_start_cut_off_between_the_two_halves_is_completed(tmp_path: Path) -> None:
    provision(tmp_path, hosts=[], now=NOW)
    public = Provision(tmp_path).public_key
    before = public.read_text()
    public.unlink()

    assert provision(tmp_path, hosts=[], now=NOW) == ["gateway/seal-public.pem"]
    assert public.read_text().split() == before.split()


def test_the_first_certificate_is_renewed_in_time_and_for_another_name(tmp_path: Path) -> None:
    renewed = ["certificate/tls.key", "certificate/tls.crt"]
    provision(tmp_path, hosts=["ops.test"], now=NOW)

    late = NOW + timedelta(days=CERTIFICATE_DAYS - 10)
    assert provision(tmp_path, hosts=["ops.test"], now=late) == renewed
    assert provision(tmp_path, hosts=["other.test"], now=late) == renewed
    assert provision(tmp_path, hosts=["other.test"], now=late) == []


def test_the_brokers_hash_is_a_salted_sha_256_and_not_the_password(tmp_path: Path) -> None:
    provision(tmp_path, hosts=[], now=NOW)
    place = Provision(tmp_path)
    password = place.broker_password.read_text().strip()

    stored = base64.b64decode(password_hash(password))
    assert stored[4:] == hashlib.sha256(stored[:4] + password.encode()).digest()
    assert password not in place.broker_definitions.read_text()


def test_keys_from_a_backup_are_kept_and_only_the_rest_is_made(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    provision(old, hosts=[], now=NOW)
    shutil.copytree(old / "gateway", new / "gateway")
    shutil.copytree(old / "executor", new / "executor")

    made = provision(new, hosts=[], now=NOW)

    assert not [name for name in made if name.startswith(("gateway", "executor"))]
    for folder in ("gateway", "executor"):
        assert contents(new / folder) == contents(old / folder)
