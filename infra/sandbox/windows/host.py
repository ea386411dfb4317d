"""The simulated host itself: listeners, shells, services, journal, and the faults tests ask for."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from infra.certificates import HostCertificate, self_signed
from infra.clock import now
from infra.sandbox.windows import soap
from infra.sandbox.windows.connection import Connection
from infra.sandbox.windows.credssp import Acceptor
from infra.sandbox.windows.disk import Disk
from infra.sandbox.windows.faults import Plan
from infra.sandbox.windows.machine import Machine
from infra.sandbox.windows.services import ServiceTable
from infra.sandbox.windows.shells import Process, Shell

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LOOPBACK = "127.0.0.1"
COMPUTER_NAME = "SIMULATED-WIN"
FOLDERS = {"USERPROFILE", "TEMP", "SystemRoot"}


@dataclass(slots=True)
class JournalEntry:
    """One script that really ran. `marker` names the attempt; times are of the event loop's clock."""

    marker: str
    shell: str
    script: str
    started: float
    ended: float | None = None
    how: str = "running"


@dataclass(slots=True)
class Knobs:
    """Faults on demand. Numbers count down: how often the fault still happens."""

    drop_after_create: int = 0
    drop_after_command: int = 0
    drop_after_send: int = 0
    drop_in_receive: int = 0
    drip: float = 0.0
    """Seconds between two small pieces of each answer to Receive."""
    unencrypted_allowed: bool = False
    """AllowUnencrypted: Basic and messages in the clear over http are taken."""
    ignore_ctrl_c: bool = False
    envelope_bytes: int = 0
    """Requests over this size are refused with HTTP 413; 0: none."""
    delay: float = 0.0
    """Seconds before each request is looked at."""
    names_shells_itself: bool = False
    """The id that a client asks for is not looked at, as by hosts before protocol version 2.2."""

    def take(self, name: str) -> bool:
        left = getattr(self, name, 0)
        if left:
            setattr(self, name, left - 1)
        return bool(left)


class WindowsHost:
    """A *simulated* Windows machine that answers real WS-Management on loopback.

    Port 0 chooses a free port; after `start()` the attributes hold the real ones. Nothing is executed on the
    machine it runs on: scripts run in a small interpreter that knows a subset of PowerShell and cmd.
    """

    def __init__(
        self,
        name: str,
        username: str,
        password: str,
        http_port: int = 0,
        https_port: int = 0,
        *,
        certificate: HostCertificate | None = None,
        client_certificate: str | None = None,
        schemes: tuple[str, ...] = ("Negotiate", "Basic"),
        credssp: Acceptor | None = None,
        max_shells: int = 30,
    ) -> None:
        self.name = name
        self.username = username
        self.password = password
        self.http_port = http_port
        self.https_port = https_port
        self.schemes = schemes
        self.credssp = credssp
        """Checks CredSSP logins, where `schemes` offers them."""
        self.max_shells = max_shells
        self.computer_name = COMPUTER_NAME
        self.services = ServiceTable()
        self.machine = Machine(self.computer_name, self.reboot)
        self.shells: dict[str, Shell] = {}
        self.journal: list[JournalEntry] = []
        self.command_lines: list[str] = []
        """What a process list or an event log of the host would show."""
        self.logins: list[tuple[str, str, bool]] = []
        """Every login tried: (scheme, user, accepted)."""
        self.refused_shells = 0
        """Requests for a shell that found no room."""
        self.sealed_messages = 0
        """Requests whose body came sealed by the login's own key."""
        self.knobs = Knobs()
        self.plan = Plan()
        self.has_pwsh = True
        self.disk = Disk(username)
        self.environment = _environment(username)
        self.certificate = certificate or _certificate()
        self.client_certificate = client_certificate
        """PEM of the one client certificate that is mapped to the user."""
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._idle: dict[str, asyncio.TimerHandle] = {}
        self._reaping: set[asyncio.Task[None]] = set()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the https certificate, hex: what a target can pin."""
        return self.certificate.fingerprint

    @property
    def processes(self) -> list[Process]:
        """Child processes that run now, of all shells."""
        return [process for shell in self.shells.values() for process in shell.processes]

    def has_folder(self, path: str) -> bool:
        """Whether a command can start there: the folders every Windows has, and the user's own."""
        known = {value.casefold() for name, value in self.environment.items() if name in FOLDERS}
        return path.rstrip("\\").casefold() in known | {"c:", "c:\\windows\\temp"}

    async def start(self) -> None:
        """Listen on loopback. Raises OSError when a port is taken."""
        plain = await asyncio.start_server(self._client(tls=False), LOOPBACK, self.http_port)
        self._servers.append(plain)
        tls = await asyncio.start_server(
            self._client(tls=True),
            LOOPBACK,
            self.https_port,
            ssl=self.certificate.server_context(self.client_certificate),
        )
        self._servers.append(tls)
        self.http_port = plain.sockets[0].getsockname()[1]
        self.https_port = tls.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything; commands and processes of all shells end."""
        await self._go_down()
        self.disk.remove()

    async def _go_down(self) -> None:
        for server in self._servers:
            server.close()
        await self.drop_connections()
        for shell in tuple(self.shells.values()):
            await self.remove_shell(shell)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def reboot(self, seconds: float = 0.0) -> None:
        """Everything that runs vanishes, nobody listens for a while, then the same ports answer again."""
        await self._go_down()
        await asyncio.sleep(seconds)
        await self.start()

    async def drop_connections(self) -> None:
        """What a firewall or a service restart does to idle connections."""
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _client(self, *, tls: bool) -> Client:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)
            try:
                await Connection(self, reader, writer, tls=tls).serve()
            except asyncio.CancelledError:
                writer.transport.abort()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        return serve

    def journal_entry(self, marker: str, shell: str, script: str) -> JournalEntry:
        """Note that a script runs now."""
        entry = JournalEntry(marker, shell, script, asyncio.get_running_loop().time())
        self.journal.append(entry)
        return entry

    # -- shells

    def add_shell(self, shell: Shell) -> None:
        self.shells[shell.id] = shell
        self._touch(shell)

    def shell(self, shell_id: str | None) -> Shell:
        """Raises Fault when there is none of that id."""
        shell = self.shells.get((shell_id or "").upper())
        if shell is None:
            raise soap.Fault(
                soap.SHELL_NOT_FOUND,
                "The request contained invalid selectors: the shell was not found on the server.",
                subcode="w:InvalidSelectors",
            )
        self._touch(shell)
        return shell

    async def remove_shell(self, shell: Shell) -> None:
        self.shells.pop(shell.id, None)
        timer = self._idle.pop(shell.id, None)
        if timer is not None:
            timer.cancel()
        await shell.end()

    def _touch(self, shell: Shell) -> None:
        timer = self._idle.pop(shell.id, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._idle[shell.id] = loop.call_later(shell.idle, self._expire, shell)

    def _expire(self, shell: Shell) -> None:
        task = asyncio.get_running_loop().create_task(self.remove_shell(shell))
        self._reaping.add(task)
        task.add_done_callback(self._reaping.discard)


def _environment(username: str) -> dict[str, str]:
    profile = f"C:\\Users\\{username}"
    return {
        "COMPUTERNAME": COMPUTER_NAME,
        "USERNAME": username,
        "USERPROFILE": profile,
        "TEMP": f"{profile}\\AppData\\Local\\Temp",
        "OS": "Windows_NT",
        "ComSpec": "C:\\Windows\\system32\\cmd.exe",
        "SystemRoot": "C:\\Windows",
        "PATH": "C:\\Windows\\system32;C:\\Windows",
    }


def _certificate() -> HostCertificate:
    begins = now() - timedelta(days=1)
    return self_signed(COMPUTER_NAME, ("localhost", LOOPBACK), begins, begins + timedelta(days=366))
