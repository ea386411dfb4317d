"""The servers this user works with: a name for each, its address, and who is signed in there."""

import json
import os
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.client import keyrings
from cli.client.locking import FileLock
from cli.client.nearness import did_you_mean
from cli.client.problems import CliError
from cli.client.trust import absolute
from cli.places import DataFolder
from infra.private_files import config_dir, user_id, write_private

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A server under a name. `store` says where its tokens lie: `file` or `keyring`.

    `ca_file` holds the certificates it is trusted by, where those of the system do not vouch for it.
    """

    name: str
    url: str
    username: str | None = None
    store: str = "file"
    ca_file: str | None = None

    def sign_in(self) -> str:
        """The command that opens a session of the same user under the same name."""
        words = ["opsconductor", "login", "--url", self.url]
        if self.name != urlsplit(self.url).netloc:
            words += ["--context", self.name]
        if self.username not in {None, "admin"}:
            words += ["--username", str(self.username)]
        return shlex.join(words)


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


def _address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise CliError(f"{url!r} is no address.", hints=("It has to begin with http:// or https://.",))
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise CliError(f"{url!r} is no address.", hints=("For example https://ops.example.org:8443",))
    return url.rstrip("/")


class Contexts:
    """One file that only its owner can read; tokens lie in it, or in the keyring of the system."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or config_dir(os.environ, uid=user_id()) / "contexts.json"

    @property
    def path(self) -> Path:
        return self._path

    def all(self) -> list[Context]:
        found = self._read().get("contexts", {})
        return [self._of(name, stored) for name, stored in sorted(found.items())]

    @property
    def current(self) -> str | None:
        name = self._read().get("current")
        return name if isinstance(name, str) else None

    def named(self, name: str) -> Context:
        """Raises `CliError` telling which there are."""
        known = {context.name: context for context in self.all()}
        if name not in known:
            there = ", ".join(known) or "none"
            raise CliError(
                f"There is no context named {name}.",
                hints=(
                    *did_you_mean(name, known),
                    f"There are: {there}. Make one: opsconductor login --context {name} --url URL",
                ),
            )
        return known[name]

    def chosen(self, name: str | None, url: str | None) -> Context:
        """By name, by address, else `OPS_CONTEXT`, `OPS_URL`, the current one, the `up` that runs here."""
        chosen = self._chosen(name, url)
        if ca_file := os.environ.get("OPS_CA_FILE"):
            return replace(chosen, ca_file=absolute(ca_file))
        return chosen

    def _chosen(self, name: str | None, url: str | None) -> Context:
        name = name or (None if url else os.environ.get("OPS_CONTEXT"))
        if name and url:
            known = {context.name: context for context in self.all()}.get(name)
            there = Context(name=name, url=_address(url))
            return known if known is not None and known.url == there.url else there
        if name:
            return self.named(name)
        url = url or os.environ.get("OPS_URL")
        if url is None and self.current is not None:
            return self.named(self.current)
        return self._at(_address(url or _here()))

    def _at(self, url: str) -> Context:
        same = [context for context in self.all() if context.url == url]
        same.sort(key=lambda context: context.name != self.current)
        return same[0] if same else Context(name=urlsplit(url).netloc, url=url)

    def use(self, name: str) -> Context:
        context = self.named(name)
        with self.locked():
            self._write(self._read() | {"current": name})
        return context

    def delete(self, name: str) -> None:
        context = self.named(name)
        self.remove(context)
        with self.locked():
            document = self._read()
            del document["contexts"][name]
            if document.get("current") == name:
                document.pop("current")
            self._write(document)

    # -- sessions

    def get(self, context: Context) -> Session | None:
        """None also for a session at another address: tokens go nowhere but where they came from."""
        if context.url not in {known.url for known in self.all() if known.name == context.name}:
            return None
        try:
            if context.store == "keyring":
                stored = json.loads(keyrings.read(context.name) or "null")
            else:
                stored = self._read().get("sessions", {}).get(context.name)
            return Session(**stored) if stored else None
        except (TypeError, ValueError):
            return None  # of another version: as good as signed out

    def put(self, context: Context, session: Session) -> None:
        """Sign in there; it becomes the current context."""
        with self.locked():
            self.replace(context, session)
            self._write(self._read() | {"current": context.name})

    def replace(self, context: Context, session: Session) -> None:
        """Other tokens, by who holds the lock already."""
        document = self._read()
        stored = {
            "url": context.url,
            "username": session.username,
            "store": context.store,
            "ca_file": context.ca_file,
        }
        contexts = document.get("contexts", {}) | {context.name: stored}
        sessions = dict(document.get("sessions", {}))
        sessions.pop(context.name, None)
        if context.store == "keyring":
            keyrings.write(context.name, json.dumps(asdict(session)))
        else:
            sessions[context.name] = asdict(session)
        self._write(document | {"contexts": contexts, "sessions": sessions})

    def remove(self, context: Context) -> None:
        """Forget the tokens; the context stays."""
        if context.store == "keyring":
            keyrings.forget(context.name)
        with self.locked():
            document = self._read()
            document.get("sessions", {}).pop(context.name, None)
            self._write(document)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Two commands at once must not both use up the refresh token."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self._path.with_suffix(".lock"))
        except OSError as error:
            raise self._unusable(error) from error
        with lock:
            yield

    def _of(self, name: str, stored: Mapping[str, Any]) -> Context:
        return Context(
            name=name,
            url=str(stored.get("url", DEFAULT_URL)),
            username=stored.get("username"),
            store=str(stored.get("store", "file")),
            ca_file=stored.get("ca_file"),
        )

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # nobody has signed in yet
        return document if isinstance(document, dict) else {}

    def _write(self, document: Mapping[str, Any]) -> None:
        try:
            write_private(self._path, json.dumps(document, indent=1))
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> CliError:
        return CliError(
            f"The session cannot be stored in {self._path.parent} ({error.strerror}).",
            hints=("Make room there, or set XDG_CONFIG_HOME to a folder you may write to.",),
        )
