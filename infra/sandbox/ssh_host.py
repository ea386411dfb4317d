"""A demo Linux host: a real SSH server with a real shell, on the loopback interface only.

It behaves as sshd does without a terminal: each `exec` request is `/bin/sh -c <command>` as a process of its
own, and closing the channel does not end that process. One user, no SFTP, no forwarding.
"""

import asyncio
import contextlib
import hmac
import os
import signal
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncssh

from infra.sandbox.processes import MARK, OutputPipe, feed, marked_processes, output_pipe

LOOPBACK = "127.0.0.1"
BANNER = "OpsConductor sandbox host: a demo target on the loopback interface.\n"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
END_SECONDS = 5.0
"""For what was killed to be noticed as ended."""


def new_host_key() -> str:
    """A fresh ed25519 private key in OpenSSH form."""
    return asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()


class SshHost:
    """A sandbox SSH server for one user, let in by `password` or by `authorized_key` (an OpenSSH public key).

    `host_key` is an OpenSSH private key; a new ed25519 one is made when it is left out. Port 0 picks a free
    one. `home` is the working directory of every command: a temporary folder, removed at the end,
    unless given. `programs` is a folder whose programs stand in for those of the machine: what a demo host
    must not really do, it can be given a harmless program for.
    """

    def __init__(
        self,
        username: str,
        password: str,
        port: int = 0,
        host_key: str | None = None,
        authorized_key: str | None = None,
        *,
        home: Path | None = None,
        programs: Path | None = None,
    ) -> None:
        self.username = username
        self.port = port
        self._password = password
        self._authorized_key = asyncssh.import_public_key(authorized_key) if authorized_key else None
        self._host_key = asyncssh.import_private_key(host_key or new_host_key())
        self._home = home
        self._programs = programs
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._sessions: set[asyncio.Task[None]] = set()
        self._mark = f"{MARK}={uuid4().hex}"

    @property
    def home(self) -> Path:
        if self._home is None:
            raise RuntimeError("the sandbox host has not been started")
        return self._home

    @property
    def host_key_public(self) -> str:
        """The line to pin: `ssh-ed25519 AAAA…`."""
        return self._host_key.export_public_key("openssh").decode().strip()

    async def start(self) -> None:
        """Listen. Raises OSError, naming the port, when it is taken."""
        if self._home is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ops-sandbox-")
            self._home = Path(self._temporary.name)
        self._acceptor = await asyncssh.create_server(
            lambda: _Door(self),
            LOOPBACK,
            self.port,
            config=None,
            server_host_keys=[self._host_key],
            process_factory=self._begin,
            encoding=None,
            allow_pty=False,
            agent_forwarding=False,
            x11_forwarding=False,
            server_version="OpsConductor_sandbox",
            login_timeout=10,
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Close every connection and end every process that was started here, detached ones included."""
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._acceptor = None
        for connection in list(self._connections):
            connection.abort()
        await self._end_processes()
        if self._sessions:
            await asyncio.wait(set(self._sessions), timeout=END_SECONDS)
        for session in list(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._home = None

    async def _end_processes(self) -> None:
        for _ in range(20):
            # A process may start another while we look, so look until none is left.
            processes = marked_processes(self._mark)
            if not processes:
                return
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.02)

    def lets_in(self, username: str, password: str) -> bool:
        return username == self.username and hmac.compare_digest(password.encode(), self._password.encode())

    def knows_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self.username and key == self._authorized_key

    def opened(self, connection: asyncssh.SSHServerConnection) -> None:
        self._connections.add(connection)

    def closed(self, connection: asyncssh.SSHServerConnection) -> None:
        self._connections.discard(connection)

    def _begin(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        session = asyncio.create_task(self._serve(process))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _serve(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        if process.command is None:
            process.stderr.write(b"This sandbox host runs single commands; it has no interactive shell.\n")
            process.exit(1)
            return
        child: asyncio.subprocess.Process | None = None
        try:
            async with output_pipe() as stdout, output_pipe() as stderr:
                child = await self._child(process.command, stdout, stderr)
                await _converse(process, child, stdout, stderr)
        except asyncio.CancelledError:
            if child is not None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()  # it hid from `_end_processes`
            raise
        finally:
            if child is not None:
                await child.wait()  # whoever listened may have gone before it ended

    async def _child(
        self, command: str, stdout: OutputPipe, stderr: OutputPipe
    ) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            stdin=asyncio.subprocess.PIPE,
            stdout=stdout.writing_end,
            stderr=stderr.writing_end,
            cwd=self.home,
            env=self._environment(),
            start_new_session=True,
        )
        stdout.release_writing_end()
        stderr.release_writing_end()
        return child

    def _environment(self) -> dict[str, str]:
        mark, _, value = self._mark.partition("=")
        user = {"HOME": str(self.home), "USER": self.username, "LOGNAME": self.username}
        path = f"{self._programs}:{PATH}" if self._programs else PATH
        return user | {"PATH": path, "SHELL": "/bin/sh", "LANG": "C.UTF-8", mark: value}


async def _converse(
    process: "asyncssh.SSHServerProcess[bytes]",
    child: asyncio.subprocess.Process,
    stdout: OutputPipe,
    stderr: OutputPipe,
) -> None:
    """Pass everything through both ways; report the exit status when the output has ended, as sshd does."""
    if child.stdin is None:
        raise RuntimeError("the child was started without a pipe for its input")
    feeding = asyncio.create_task(feed(process.stdin, child.stdin))
    try:
        await asyncio.gather(stdout.drain_into(process.stdout), stderr.drain_into(process.stderr))
        status = await child.wait()
        if process.is_closing():
            return
        if status < 0:
            process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            process.exit(status)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        child.stdin.close()


class _Door(asyncssh.SSHServer):
    """Who is let in."""

    def __init__(self, host: SshHost) -> None:
        self._host = host
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._host.opened(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._host.closed(self._connection)

    def begin_auth(self, username: str) -> bool:
        if self._connection is not None:
            self._connection.send_auth_banner(BANNER)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._host.lets_in(username, password)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:
        return self._host.knows_key(username, key)
