"""The stages of a test over SSH: host key, login, a first command."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from contracts.targets.testing import PresentedKey
from infra.blocking import BlockingPool
from workers.executor.steps.base import OpenedCredential, TargetView
from workers.executor.steps.logging_in import Logins
from workers.executor.steps.ssh_exec.carriers import Carriers
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.logins import log_in, pinned_keys
from workers.executor.steps.ssh_exec.presented import PresentedKey as ShownKey
from workers.executor.steps.ssh_exec.presented import presented_keys
from workers.executor.testing import network
from workers.executor.testing.journal import Journal
from workers.executor.testing.seating import Seat, sit_down

BANNER_SECONDS = 2.0
KEY_SECONDS = 5.0
LOGIN_SECONDS = 10.0
COMMAND_SECONDS = 8.0
FACTS = r"""/bin/sh -c '
echo ops:os=$(uname -s -r -m 2>/dev/null)
echo ops:user=$(id -un 2>/dev/null)
echo ops:shell=$SHELL
if ! command -v sudo >/dev/null 2>&1; then echo ops:sudo=not installed
elif sudo -n true >/dev/null 2>&1; then echo ops:sudo=without password
else echo ops:sudo=needs a password; fi
'"""
MARK = "ops:"

Tunnel = asyncssh.SSHClientConnection | None
"""The connection to a jump host through which the target is reached, if there is one."""


@dataclass(frozen=True, slots=True)
class SshTest:
    """One test of one machine under one credential."""

    target: TargetView
    credential: OpenedCredential | None
    journal: Journal
    pool: BlockingPool
    seat: Seat
    logins: Logins

    async def run(self) -> None:
        """Go through the stages; raises `Halted` at the first that fails."""
        carriers = Carriers(connect_seconds=LOGIN_SECONDS, idle_seconds=0, logins=self.logins)
        try:
            tunnel = await self._way_there(carriers)
            await self._host_key(tunnel)
            connection = await self._log_in(tunnel)
            try:
                await self._command(connection)
            finally:
                connection.abort()
        finally:
            await carriers.close()

    async def _way_there(self, carriers: Carriers) -> Tunnel:
        """Name and port, seen from here; behind a jump host only that can see them."""
        if self.target.jump is None:
            host, port = self.target.hostname, self.target.ssh.port
            await network.resolve(self.journal, host, port, self.pool)
            await network.connect(self.journal, host, port, banner_seconds=BANNER_SECONDS)
            return None
        name = self.target.jump.target.name
        self.journal.skip("dns", f"the jump host {name} resolves the name")
        async with self.journal.stage("tcp") as note:
            carrier = await carriers.board(self.target)
            note.detail = f"through the jump host {name}"
        return None if carrier is None else carrier.connection

    async def _host_key(self, tunnel: Tunnel) -> None:
        async with self.journal.stage("host_key") as note:
            pinned = pinned_keys(self.target)
            banner = self.journal.banner or ""
            if banner and not banner.startswith("SSH-"):
                raise fault("not_ssh", self.target, None, f"it said {banner[:80]!r}")
            shown = await presented_keys(self.target, time_limit=KEY_SECONDS, tunnel=tunnel)
            self.journal.host_keys = [_view(key, pinned) for key in shown]
            note.detail = ", ".join(f"{key.algorithm} {key.fingerprint}" for key in self.journal.host_keys)
            if not pinned:
                raise fault("host_key_unknown", self.target, None, note.detail)
            if not any(key.pinned for key in self.journal.host_keys):
                raise fault("host_key_mismatch", self.target, None, note.detail)

    async def _log_in(self, tunnel: Tunnel) -> asyncssh.SSHClientConnection:
        async with self.journal.stage("auth") as note:
            if self.credential is None:
                raise fault("credential_missing", self.target, None)
            self.journal.auth_methods = await _methods(self.target, self.credential.username, tunnel)
            offered = ", ".join(self.journal.auth_methods) or "nothing"
            await sit_down(self.seat, self.target, self.credential, self.target.ssh.max_concurrent)
            async with self.logins.first(self.target, self.credential):
                connection = await log_in(
                    self.target, self.credential, time_limit=LOGIN_SECONDS, tunnel=tunnel
                )
            note.detail = f"logged in as {self.credential.username}; the host offers {offered}"
        return connection

    async def _command(self, connection: asyncssh.SSHClientConnection) -> None:
        async with self.journal.stage("command") as note:
            try:
                async with asyncio.timeout(COMMAND_SECONDS):
                    done = await connection.run(FACTS, check=False, encoding="utf-8", errors="replace")
            except TimeoutError:
                detail = f"no answer to a command in {COMMAND_SECONDS:g} s"
                raise fault("shell_unusable", self.target, self.credential, detail) from None
            except (asyncssh.Error, OSError) as error:
                raise fault("shell_unusable", self.target, self.credential, error) from None
            output, errors = str(done.stdout or ""), str(done.stderr or "")
            facts = facts_in(output)
            if not facts:
                said = " ".join(f"{output} {errors}".split())[:200]
                detail = f"it said {said!r}" if said else f"it said nothing and ended with {done.exit_status}"
                raise fault("shell_unusable", self.target, self.credential, detail)
            self.journal.system = facts
            note.detail = ", ".join(f"{name} {value}" for name, value in facts.items() if value)


def facts_in(output: str) -> dict[str, str]:
    """The `ops:name=value` lines among whatever a profile prints."""
    lines = (line.strip() for line in output.splitlines())
    pairs = (line.removeprefix(MARK).partition("=") for line in lines if line.startswith(MARK))
    return {name: value[:200] for name, equals, value in pairs if equals}


async def _methods(target: TargetView, username: str, tunnel: Tunnel) -> list[str]:
    """What the host offers this user; asking is no login attempt. Empty when it does not say."""
    try:
        async with asyncio.timeout(KEY_SECONDS):
            found = await asyncssh.get_server_auth_methods(
                target.hostname,
                target.ssh.port,
                username,
                tunnel=tunnel or (),
                config=None,
                client_version="OpsConductor",
            )
    except (asyncssh.Error, OSError):
        return []
    return list(found)


def _view(key: ShownKey, pinned: Sequence[asyncssh.SSHKey]) -> PresentedKey:
    line = " ".join(key.line.split()[:2])
    return PresentedKey(
        algorithm=key.algorithm,
        fingerprint=key.fingerprint,
        key=line,
        pinned=asyncssh.import_public_key(line) in pinned,
    )
