"""The keys that tokens are signed with."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

JWT_KEY_BYTES = 32
JWT_KEY_DISTINCT_BYTES = 12
"""32 random bytes practically never hold fewer different ones; repeated text does."""
WEAK_WORDS = ("changeme", "secret", "password", "admin", "opsconductor", "default")


@dataclass(frozen=True, slots=True)
class JwtKeys:
    """Signing keys by id; the first signs, all verify."""

    signing_id: str
    keys: Mapping[str, bytes] = field(repr=False)


def parse_jwt_keys(value: str) -> JwtKeys:
    """Keys from `id:base64,id:base64` or a file of that.

    Raises ValueError for short or weak ones, and OSError when there is no such file; neither shows a key.
    """
    text = value if ":" in value and value[0] != os.path.sep else Path(value).read_text()
    keys: dict[str, bytes] = {}
    for entry in text.replace("\n", ",").split(","):
        if not entry.strip():
            continue
        key_id, _, encoded = entry.strip().partition(":")
        if not (key_id and encoded):
            raise ValueError("every key is written `id:base64`")
        if key_id in keys:
            raise ValueError(f"two keys are named {key_id!r}")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"key {key_id!r} is not base64") from None
        if len(key) < JWT_KEY_BYTES:
            raise ValueError(f"key {key_id!r} is shorter than {JWT_KEY_BYTES} bytes")
        weak_word = any(word in key.decode("latin-1").lower() for word in WEAK_WORDS)
        if weak_word or len(set(key)) < JWT_KEY_DISTINCT_BYTES:
            raise ValueError(f"key {key_id!r} looks like a default; use random bytes")
        keys[key_id] = key
    if not keys:
        raise ValueError("holds no key")
    return JwtKeys(next(iter(keys)), keys)
