"""The demo hosts together: their settings from the environment, their start and their end."""

import errno
import importlib
import importlib.util
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from infra.sandbox.ssh_host import LOOPBACK, SshHost, new_host_key

WINDOWS_NAME = "SANDBOX-WIN"


class SandboxUnusable(Exception):
    """The sandbox cannot be started; the message says why and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What `python -m infra.sandbox` reads from the environment. Port 0 picks a free one."""

    username: str
    password: str = field(repr=False)
    ssh_port: int = 0
    windows_http_port: int = 0
    windows_https_port: int = 0
    ssh_host_key_file: Path | None = None
    home: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises `SandboxUnusable` naming every variable that is missing or unusable."""
        problems = [
            f"{name} is missing"
            for name in ("OPS_SANDBOX_USERNAME", "OPS_SANDBOX_PASSWORD")
            if not environment.get(name)
        ]
        ports: dict[str, int] = {}
        for kind in ("SSH", "WINDOWS_HTTP", "WINDOWS_HTTPS"):
            name = f"OPS_SANDBOX_{kind}_PORT"
            text = environment.get(name, "0")
            if text.isdecimal() and int(text) <= 65535:  # noqa: PLR2004  the highest port there is
                ports[name] = int(text)
            else:
                problems.append(f"{name} is not a port number: {text!r}")
        if problems:
            raise SandboxUnusable("; ".join(problems))
        key_file, home = environment.get("OPS_SANDBOX_SSH_HOST_KEY_FILE"), environment.get("OPS_SANDBOX_HOME")
        return cls(
            username=environment["OPS_SANDBOX_USERNAME"],
            password=environment["OPS_SANDBOX_PASSWORD"],
            ssh_port=ports["OPS_SANDBOX_SSH_PORT"],
            windows_http_port=ports["OPS_SANDBOX_WINDOWS_HTTP_PORT"],
            windows_https_port=ports["OPS_SANDBOX_WINDOWS_HTTPS_PORT"],
            ssh_host_key_file=Path(key_file) if key_file else None,
            home=Path(home) if home else None,
        )


class WindowsSide(Protocol):
    """The simulated Windows host, as far as this module needs it."""

    http_port: int
    https_port: int

    @property
    def fingerprint(self) -> str: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class SandboxHosts:
    """The demo hosts, started on entering and stopped on leaving."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._ssh: SshHost | None = None
        self._windows: WindowsSide | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        async with AsyncExitStack() as stack:
            self._ssh = SshHost(
                settings.username,
                settings.password,
                settings.ssh_port,
                stored_host_key(settings.ssh_host_key_file) if settings.ssh_host_key_file else None,
                home=_existing(settings.home),
            )
            stack.push_async_callback(self._ssh.stop)
            await _listening(self._ssh, {"OPS_SANDBOX_SSH_PORT": settings.ssh_port})
            self._windows = _windows(settings)
            if self._windows is not None:
                stack.push_async_callback(self._windows.stop)
                ports = {
                    "OPS_SANDBOX_WINDOWS_HTTP_PORT": settings.windows_http_port,
                    "OPS_SANDBOX_WINDOWS_HTTPS_PORT": settings.windows_https_port,
                }
                await _listening(self._windows, ports)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def endpoints(self) -> dict[str, dict[str, Any]]:
        """Where the hosts listen and what to pin."""
        found: dict[str, dict[str, Any]] = {}
        if self._ssh is not None:
            found["ssh"] = {"port": self._ssh.port, "host_key": self._ssh.host_key_public}
        if self._windows is not None:
            found["windows"] = {
                "http_port": self._windows.http_port,
                "https_port": self._windows.https_port,
                "fingerprint": self._windows.fingerprint,
            }
        return found


def stored_host_key(file: Path) -> str:
    """The private host key in `file`, made (0600) when missing so that a pinned key survives restarts."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text()
    text = new_host_key()
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
    return text


def _existing(home: Path | None) -> Path | None:
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
    return home


def _windows(settings: SandboxSettings) -> WindowsSide | None:
    if importlib.util.find_spec("infra.sandbox.windows") is None:
        return None
    module = importlib.import_module("infra.sandbox.windows")
    host: WindowsSide = module.WindowsHost(
        WINDOWS_NAME,
        settings.username,
        settings.password,
        http_port=settings.windows_http_port,
        https_port=settings.windows_https_port,
    )
    return host


async def _listening(host: SshHost | WindowsSide, ports: Mapping[str, int]) -> None:
    try:
        await host.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        named = " or ".join(f"{LOOPBACK}:{port} ({name})" for name, port in ports.items() if port)
        raise SandboxUnusable(f"port {named} is taken; stop what uses it or choose another") from error
