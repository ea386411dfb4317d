"""What a client says the hash of its upload is: `Content-Digest` (RFC 9530) or `Digest` (RFC 3230)."""

import base64
import binascii
import re

from contracts.errors import FieldProblem, Invalid

_SHA256 = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:?([A-Za-z0-9+/]{43}=):?\s*(?:,|$)", re.IGNORECASE)


def sha256_of(header: str | None) -> str | None:
    """The SHA-256 in a digest header as hex, None without one. Raises `Invalid` for other algorithms."""
    if header is None:
        return None
    found = _SHA256.search(header)
    try:
        digest = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        digest = b""
    if not digest:
        raise _wrong("Digest", "must hold sha-256 in base64; no other algorithm is checked here")
    return digest.hex()


def expected_sha256(*said: str | None) -> str | None:
    """The one hash that everything said agrees on; raises `Invalid` when two differ."""
    values = {value.lower() for value in said if value is not None}
    if len(values) > 1:
        raise _wrong("sha256", "the headers and the query name different hashes")
    return values.pop() if values else None


def refuse_other(expected: str | None, sha256: str) -> None:
    """Raises `Invalid` when what came is not what was announced."""
    if expected is not None and expected != sha256:
        raise _wrong("sha256", f"what arrived has the hash {sha256}, not {expected}")


def _wrong(field: str, reason: str) -> Invalid:
    return Invalid("The file does not fit its hash.", problems=[FieldProblem(field, reason)])
