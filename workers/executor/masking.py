"""Hiding secrets in output: pure, over bytes, across chunk borders and the usual encodings."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = b"***"
MIN_SECRET_CHARS = 4
"""Shorter values are not hidden: they would hide half of any output."""
MIN_LINE_CHARS = 16


def forms_of(secret: str) -> set[bytes]:
    """How a secret may look in output: plain, UTF-16, URL-encoded, base64 at any alignment, line by line."""
    if len(secret) < MIN_SECRET_CHARS:
        return set()
    texts = {secret, secret.strip(), quote(secret, safe=""), quote_plus(secret)}
    texts |= {line for line in secret.splitlines() if len(line) >= MIN_LINE_CHARS}
    forms = {text.encode() for text in texts if len(text) >= MIN_SECRET_CHARS}
    for raw in (secret.encode(), secret.encode("utf-16-le")):
        forms |= {raw} | _base64_forms(raw)
    return forms


def _base64_forms(raw: bytes) -> set[bytes]:
    """The part of the encoding that does not depend on what stands around the secret."""
    forms = set()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        start = (shift * 8 + 5) // 6
        end = (shift + len(raw)) * 8 // 6
        inner = encoded[start:end]
        if len(inner) >= MIN_SECRET_CHARS + 2:
            forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return forms


class Masker:
    """Replaces every form of every secret by `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in forms_of(secret)}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(re.escape(form) for form in forms)) if forms else None
        self._longest = len(forms[0]) if forms else 0
        self._by_first: dict[int, list[bytes]] = {}
        for form in forms:
            self._by_first.setdefault(form[0], []).append(form)

    def cut(self, data: bytes) -> int:
        """How many bytes of `data` can be masked now without tearing a secret that may go on after it."""
        if self._pattern is None:
            return len(data)
        start = max(0, len(data) - self._longest + 1)
        for match in self._pattern.finditer(data, max(0, start - self._longest)):
            start = max(start, match.end())
        for at in range(start, len(data)):
            forms = self._by_first.get(data[at])
            if forms and any(form.startswith(data[at:]) for form in forms):
                return at
        return len(data)

    def tears(self, data: bytes, at: int) -> bool:
        """Whether cutting `data` at `at` would cut through a secret in it."""
        if self._pattern is None or at == len(data):
            return False
        return any(match.start() < at < match.end() for match in self._pattern.finditer(data))

    def mask(self, data: bytes) -> bytes:
        """`data` with every whole secret hidden."""
        return data if self._pattern is None else self._pattern.sub(MASK, data)
