"""Fingerprints and host keys as other tools print them, made into the form they are stored in: pure."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

SHA1_DIGITS = 40
_BEFORE = re.compile(r"^\s*sha-?256(?:\s*fingerprint)?\s*[:=]", re.IGNORECASE)
_KEY_TYPE = re.compile(r"^(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+$")


def plain_fingerprint(said: Any) -> Any:
    """64 digits without colons. Raises ValueError for a thumbprint, which is of another kind."""
    if not isinstance(said, str):
        return said
    plain = re.sub(r"[\s:]", "", _BEFORE.sub("", said)).lower()
    if len(plain) == SHA1_DIGITS and re.fullmatch(r"[0-9a-f]+", plain):
        raise ValueError(
            "is a SHA-1 thumbprint: give the SHA-256 fingerprint (64 digits), which a connection test shows"
        )
    return plain


Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), BeforeValidator(plain_fingerprint)]
"""SHA-256 of a certificate (DER) in hex; `AA:BB:…` is taken as well."""


def plain_host_keys(said: Any) -> Any:
    """One `type base64` a line: what stands before it in known_hosts, and comments, are left out."""
    if not isinstance(said, str):
        return said
    lines = [line.split() for line in said.splitlines() if line.strip() and not line.startswith("#")]
    return "\n".join(" ".join(words[1:] if _names_host(words) else words) for words in lines)


def host_key_problem(key: str) -> str | None:
    """Why this is no host key that could be pinned."""
    for line in key.splitlines():
        words = line.split()
        if len(words) == 1 or not _KEY_TYPE.match(words[0]):
            return (
                f"{line[:60]!r} is no public key in OpenSSH form (`ssh-ed25519 AAAA…`): take the host's "
                "/etc/ssh/ssh_host_*_key.pub, the output of ssh-keyscan, or pin what a connection test shows"
            )
    return None


def _names_host(words: list[str]) -> bool:
    """As in known_hosts: the host, then the type of the key."""
    return not _KEY_TYPE.match(words[0]) and bool(words[1:]) and bool(_KEY_TYPE.match(words[1]))
