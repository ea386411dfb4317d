"""What docs/deployment.md and docs/runbook.md tell an operator to type about keys does what they say.

A stand-in for `docker` runs the commands of the container that makes secrets, and of those that read them, on
folders of this machine, and notes everything else.
"""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.provisioning import Provision, provision
from infra.jwt_keys import parse_jwt_keys
from infra.sealing import PrivateRing, PublicSealer, generate_pair
from tests.support.processes import ROOT

pytestmark = pytest.mark.timeout(400)

DOCS = ROOT / "docs"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
STAND_IN = """#!/bin/sh
inside() { for word; do shift; set -- "$@" "$(printf %s "$word" | sed "s#/run/secrets/#/secrets/#g; s#/secrets/#$SECRETS/#g")"; done; exec "$@"; }
case "$*" in
  "compose run --rm -T secrets "*) shift 5; inside "$@" ;;
  "compose exec -T executor "* | "compose exec -T gateway "*) shift 4; inside "$@" ;;
  *) echo "$*" >>"$NOTED" ;;
esac
"""  # noqa: E501  (a script)


def block(page: str, word: str) -> str:
    """The block of a page that holds this word."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    [found] = [one for one in blocks if word in one]
    return str(found)


class Operator:
    """Types what a page tells into a shell, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.noted = folder / "noted"
        (folder / "bin").mkdir(parents=True)
        docker = folder / "bin" / "docker"
        docker.write_text(STAND_IN)
        docker.chmod(0o755)

    def types(self, text: str, *, secrets: Path) -> None:
        """Raises where any line fails."""
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        environment |= {"SECRETS": str(secrets), "NOTED": str(self.noted)}
        ended = subprocess.run(
            ["sh", "-euc", text], env=environment, cwd=self.folder, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "operator")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    provision(tmp_path / "secrets", hosts=["ops.test"], now=NOW)
    return tmp_path / "secrets"


def test_keys_that_were_backed_up_are_those_of_the_fresh_system(
    operator: Operator, secrets: Path, tmp_path: Path
) -> None:
    operator.types(block("deployment.md", "> seal-private.pem"), secrets=secrets)
    for backup in ("seal-private.pem", "gateway-keys.tar", "opsconductor.dump"):
        assert (operator.folder / backup).stat().st_mode & 0o077 == 0, backup

    fresh = tmp_path / "fresh"
    for name in ("executor", "gateway"):  # as the image has them
        (fresh / name).mkdir(parents=True)
    operator.types(block("deployment.md", "< seal-private.pem"), secrets=fresh)
    made = provision(fresh, hosts=["ops.test"], now=NOW)

    assert not [name for name in made if name.startswith(("gateway", "executor"))]
    old, new = Provision(secrets), Provision(fresh)
    assert new.private_key.read_bytes() == old.private_key.read_bytes()
    assert new.jwt_keys.read_bytes() == old.jwt_keys.read_bytes()
    assert new.private_key.stat().st_mode & 0o777 == 0o440
    assert operator.noted.read_text().splitlines()[-1] == "compose up -d --wait"


def test_a_sealing_key_is_rotated_and_what_was_sealed_before_still_opens(
    operator: Operator, secrets: Path
) -> None:
    place = Provision(secrets)
    before = PublicSealer(place.public_key.read_text()).seal({"a": "old"}, bound_to="x")
    (operator.folder / "new-keys").mkdir()
    private, public = generate_pair()
    (operator.folder / "new-keys" / "seal-private.pem").write_text(private)
    (operator.folder / "new-keys" / "seal-public.pem").write_text(public)

    operator.types(block("runbook.md", "mv -f new seal-public.pem"), secrets=secrets)

    sealer = PublicSealer(place.public_key.read_text())
    assert sealer.key_id != before.key_id
    ring = PrivateRing([place.private_key.read_text()])
    assert ring.open(before, bound_to="x") == {"a": "old"}
    assert ring.open(sealer.seal({"a": "new"}, bound_to="x"), bound_to="x") == {"a": "new"}
    for file in (place.private_key, place.public_key):
        assert file.stat().st_mode & 0o777 == 0o440
    assert operator.noted.read_text().splitlines() == ["compose restart executor", "compose restart gateway"]
    assert provision(secrets, hosts=["ops.test"], now=NOW) == []


def test_a_key_for_tokens_made_as_told_signs_and_the_old_one_still_verifies(
    openssl: None, operator: Operator, secrets: Path
) -> None:
    old = parse_jwt_keys(str(Provision(secrets).jwt_keys))
    shutil.copy(Provision(secrets).jwt_keys, operator.folder / "jwt-keys")

    operator.types("{ " + block("runbook.md", "openssl rand") + "cat jwt-keys; } > both", secrets=secrets)

    both = parse_jwt_keys(str(operator.folder / "both"))
    assert both.signing_id != old.signing_id
    assert both.keys[old.signing_id] == old.keys[old.signing_id]
