"""Who is signed in where: tokens in one file that only its owner can read."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cli.client.problems import CliError
from cli.places import DataFolder
from infra.embedded.places import write_private

DEFAULT_URL = "http://127.0.0.1:8080"
RENEW_BEFORE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`expires_at` speaks of the access token, in seconds since 1970; the refresh token works once."""

    username: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float

    def fresh(self) -> bool:
        return time.time() < self.expires_at - RENEW_BEFORE_SECONDS


def session_of(username: str, answer: dict[str, Any]) -> Session:
    """The session that an answer of `/api/login` or `/api/refresh` opens."""
    return Session(
        username=username,
        access_token=answer["access_token"],
        refresh_token=answer["refresh_token"],
        expires_at=time.time() + float(answer["expires_in"]),
    )


def _here() -> str:
    running = DataFolder.of_environment().running()
    return running.http_url if running is not None else DEFAULT_URL


class SessionFile:
    """Sessions by address, and the address that was signed in to last."""

    def __init__(self, path: Path | None = None) -> None:
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        self._path = path or Path(home) / "opsconductor" / "sessions.json"

    @property
    def path(self) -> Path:
        return self._path

    def address(self, chosen: str | None) -> str:
        """`chosen`, else `OPS_URL`, else where somebody signed in last, else the `up` that runs here."""
        url = chosen or os.environ.get("OPS_URL") or self._read().get("current") or _here()
        if not url.startswith(("http://", "https://")):
            raise CliError(f"{url!r} is no address.", hints=("It has to begin with http:// or https://.",))
        return str(url).rstrip("/")

    def get(self, url: str) -> Session | None:
        stored = self._read().get("sessions", {}).get(url)
        try:
            return Session(**stored) if stored else None
        except TypeError:
            return None  # of another version: as good as signed out

    def put(self, url: str, session: Session) -> None:
        with self.locked():
            self._put(url, session)

    def replace(self, url: str, session: Session) -> None:
        """The same, by who holds the lock already."""
        self._put(url, session)

    def _put(self, url: str, session: Session) -> None:
        document = self._read()
        sessions = document.get("sessions", {}) | {url: asdict(session)}
        write_private(self._path, json.dumps({"current": url, "sessions": sessions}, indent=1))

    def remove(self, url: str) -> None:
        with self.locked():
            document = self._read()
            document.get("sessions", {}).pop(url, None)
            write_private(self._path, json.dumps(document, indent=1))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Two commands at once must not both use up the refresh token."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CliError(
                f"The session cannot be stored in {self._path.parent} ({error.strerror}).",
                hints=("Set XDG_CONFIG_HOME to a folder you may write to.",),
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # nobody has signed in yet
        return document if isinstance(document, dict) else {}
