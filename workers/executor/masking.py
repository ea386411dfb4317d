"""Hiding secrets in output: pure, over bytes, across chunk borders and the usual encodings."""

import base64
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus
from weakref import WeakValueDictionary

MASK = b"***"
MIN_SECRET_CHARS = 4
"""Shorter values are not hidden: they would hide half of any output."""
MIN_LINE_CHARS = 16
_in_use: "WeakValueDictionary[frozenset[str], Masker]" = WeakValueDictionary()


def forms_of(secret: str) -> set[bytes]:
    """How a secret may look in output: plain, UTF-16, URL-encoded, base64 at any alignment, line by line."""
    if len(secret) < MIN_SECRET_CHARS:
        return set()
    texts = {secret, secret.strip(), quote(secret, safe=""), quote_plus(secret)}
    texts |= {line for line in secret.splitlines() if len(line) >= MIN_LINE_CHARS}
    forms = {text.encode() for text in texts if len(text) >= MIN_SECRET_CHARS}
    for text in {secret, secret.strip()}:
        for raw in (text.encode(), text.encode("utf-16-le")):
            if len(text) >= MIN_SECRET_CHARS:
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
        self._forms = forms
        self._longest = len(forms[0]) if forms else 0
        self._by_first: dict[int, list[bytes]] = {}
        for form in forms:
            self._by_first.setdefault(form[0], []).append(form)

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        """All forms; only output that holds one needs it, and for a private key it takes 20 ms to make."""
        return re.compile(b"|".join(re.escape(form) for form in self._forms))

    @property
    def longest(self) -> int:
        """Bytes of the longest form."""
        return self._longest

    def cut(self, data: bytes, *, limit: int, ended: bool) -> int:
        """How many bytes of `data` can be masked now: at most `limit`, but never through a secret.

        Unless the output has `ended`, what may be the beginning of a secret is held back. More than `limit`
        are returned only when they are one whole secret. Needs to see `limit + longest` bytes to go on.
        """
        if not self._forms:
            return min(limit, len(data))
        held = len(data) if ended else self._held_from(data, 0)
        if not self._holds_any(data):
            return min(limit, held)
        at = 0
        while match := self._pattern.search(data, at):
            if held <= match.start() or limit <= match.start():
                break
            if match.end() > limit:
                return match.start() or match.end()
            at = match.end()
            if held < at:
                held = self._held_from(data, at)
        return min(limit, held)

    def _holds_any(self, data: bytes) -> bool:
        """Asked before the pattern: most output holds no secret, and a plain search is ten times faster."""
        return any(form in data for form in self._forms)

    def _held_from(self, data: bytes, start: int) -> int:
        """The first place from `start` on where a secret may begin that `data` does not hold whole."""
        for at in range(max(start, len(data) - self._longest + 1), len(data)):
            forms = self._by_first.get(data[at])
            if forms and any(len(form) > len(data) - at and form.startswith(data[at:]) for form in forms):
                return at
        return len(data)

    def tears(self, data: bytes, at: int) -> bool:
        """Whether cutting `data` at `at` would cut through a secret in it."""
        if at == len(data) or not self._holds_any(data):
            return False
        return any(match.start() < at < match.end() for match in self._pattern.finditer(data))

    def mask(self, data: bytes) -> bytes:
        """`data` with every whole secret hidden."""
        if not self._holds_any(data):
            return data
        return self._pattern.sub(MASK, data)

    def mask_all(self, value: Any) -> Any:
        """The same for every text inside maps and lists, names included; what is no text stays."""
        if isinstance(value, str):
            return self.mask(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        if isinstance(value, Mapping):
            return {self.mask_all(name): self.mask_all(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(item) for item in value]
        return value


def masker_of(secrets: Iterable[str]) -> Masker:
    """What hides these secrets: the same for all attempts that have them now, gone with the last of them."""
    known = frozenset(secrets)
    masker = _in_use.get(known)
    if masker is None:
        masker = _in_use[known] = Masker(known)
    return masker
