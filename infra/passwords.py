"""Passwords: argon2id, computed beside the event loop, and refused when anybody could guess them."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from contracts.errors import FieldProblem, Invalid

MIN_LENGTH = 12
MAX_BYTES = 1024

_KNOWN_WEAK = (
    "admin123", "administrator", "changeme", "letmein", "opsconductor", "password", "passw0rd", "p@ssw0rd",
    "p@ssword", "qwerty", "qwertz", "welcome", "123456", "abcdef", "iloveyou", "monkey", "dragon", "secret",
)  # fmt: skip
_DISTINCT = 5
_REST = 6


class Passwords:
    """Hashes and verifies, two at a time. Verifying takes as long for nobody as for somebody."""

    def __init__(self) -> None:
        self._hasher = PasswordHash((Argon2Hasher(),))
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="argon2")

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._hasher.hash, password)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether `password` fits; `None` (nobody of that name) never does and takes the same time."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self._verify, password, password_hash
        )

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(24))

    def _verify(self, password: str, password_hash: str | None) -> bool:
        nobody = self._nobody
        try:
            fits = self._hasher.verify(password, password_hash or nobody)
        except UnknownHashError:
            return False
        return fits and password_hash is not None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def weakness(password: str, *, username: str = "") -> str | None:
    """Why this password is refused, or None. Counts what is left once well-known words are taken out."""
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters"
    if len(password.encode(errors="surrogatepass")) > MAX_BYTES:
        return f"must have at most {MAX_BYTES} bytes"
    lowered = password.lower()
    if len(set(lowered)) < _DISTINCT:
        return "repeats too few characters"
    for word in (*_KNOWN_WEAK, username.lower()):
        if word:
            lowered = lowered.replace(word, "")
    if len(lowered) < _REST:
        return "is made of well-known words; choose one that nobody can guess"
    return None


def require_strong(password: str, *, username: str = "", field: str = "password") -> None:
    """Raises `Invalid` for a password that anybody could guess."""
    if reason := weakness(password, username=username):
        raise Invalid("The password is too weak.", problems=[FieldProblem(field, reason)])
