"""Fingerprints and host keys are taken as other tools print them, and what they are not is said."""

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.fingerprints import Fingerprint, host_key_problem
from contracts.targets.specs import SshSettings

PLAIN = "ab" * 32
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"


@pytest.mark.parametrize(
    "said",
    [
        PLAIN,
        PLAIN.upper(),
        ":".join(["AB"] * 32),
        f" {PLAIN} ",
        "sha256 Fingerprint=" + ":".join(["AB"] * 32),
        f"SHA-256: {PLAIN}",
    ],
)
def test_a_fingerprint_is_taken_as_tools_print_it(said: str) -> None:
    assert TypeAdapter(Fingerprint).validate_python(said) == PLAIN


@pytest.mark.parametrize("said", ["", "ab", "zz" * 32, "AB:" * 19 + "AB", PLAIN + "ab"])
def test_what_is_no_fingerprint_is_refused(said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Fingerprint).validate_python(said)

    assert ("SHA-1" in str(refused.value)) == (said.count("AB") == 20)


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (KEY, KEY),
        (f"{KEY} root@host\n", f"{KEY} root@host"),
        (f"# host:22 SSH-2.0-OpenSSH_9.2\nhost {KEY}\n[h]:2222 {KEY}\n", f"{KEY}\n{KEY}"),
        (None, None),
    ],
)
def test_a_host_key_is_taken_from_known_hosts_too(said: str | None, stored: str | None) -> None:
    assert SshSettings(host_key=said).host_key == stored
    assert stored is None or host_key_problem(stored) is None


@pytest.mark.parametrize("said", ["SHA256:abc", "-----BEGIN OPENSSH PRIVATE KEY-----", "AAAAC3Nz", "ssh-rsa"])
def test_what_no_client_would_take_as_a_host_key_is_named(said: str) -> None:
    assert "ssh-keyscan" in (host_key_problem(said) or "")
