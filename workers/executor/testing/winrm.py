"""The stages of a test over WinRM: TLS, login, a first command."""

import base64
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.blocking import BlockingPool
from workers.executor.steps.base import OpenedCredential, StepFault, TargetView
from workers.executor.steps.logging_in import Logins
from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.endpoint import (
    Endpoint,
    Limits,
    check_proxy,
    check_tls,
    presented_certificate,
    speaks_tls,
)
from workers.executor.steps.winrm.faults import Situation, fits
from workers.executor.steps.winrm.names import ShellNames
from workers.executor.steps.winrm.reaching import usable
from workers.executor.steps.winrm.shells import delete, open_named
from workers.executor.steps.winrm.transport import WinrmClient
from workers.executor.testing import network
from workers.executor.testing.certificates import described
from workers.executor.testing.journal import Journal
from workers.executor.testing.offers import ask_without_login
from workers.executor.testing.seating import Seat, sit_down

LIMITS = Limits(operation=8)
SHELL_IDLE_TIMEOUT = "PT60S"
"""The least that hosts take: a test whose executor dies leaves its shell for no longer."""
FACTS = (
    'Write-Output "ops:powershell=$($PSVersionTable.PSVersion)"\n'
    'Write-Output "ops:computer=$env:COMPUTERNAME"\n'
    "cmd /c ver\n"
)
VERSION = re.compile(r"Microsoft Windows \[(?:\S+ (?=[0-9.]+\]))?([^\]]+)\]")
"""The word before the number is translated on hosts in other languages."""
RECEIVES = 6
LOGIN_CODES = frozenset(
    {
        "auth_rejected",
        "auth_unsupported",
        "certificate_unusable",
        "encryption_required",
        "kerberos_failed",
        "not_winrm",
        "proxy_answered",
        "transport_not_installed",
    }
)
"""Before the host knows who we are; what it refuses later belongs to the next stage."""
PROXY_STATUSES = {407, 502, 504}
QUOTAS = ("MaxShellsPerUser", "MaxConcurrentUsers", "MaxProcessesPerShell", "MaxMemoryPerShellMB")


@dataclass(frozen=True, slots=True)
class WinrmTest:
    """One test of one machine under one credential."""

    target: TargetView
    credential: OpenedCredential | None
    journal: Journal
    pool: BlockingPool
    seat: Seat
    logins: Logins
    names: ShellNames

    async def run(self) -> None:
        """Go through the stages; raises `Halted` at the first that fails."""
        endpoint = Endpoint(self.target.hostname, self.target.winrm)
        await self._tls(endpoint, await self._way_there(endpoint))
        connection, shell_id, refused = await self._log_in(endpoint)
        try:
            await self._command(connection, shell_id, refused)
        finally:
            await connection.drop()

    async def _way_there(self, endpoint: Endpoint) -> str:
        """Name and port, seen from here; behind a proxy only that can see them. The address that answers."""
        proxy = endpoint.settings.proxy
        if proxy is None:
            await network.resolve(self.journal, endpoint.host, endpoint.port, self.pool)
            return await network.connect(self.journal, endpoint.host, endpoint.port)
        self.journal.skip("dns", f"the proxy {proxy} resolves the name")
        async with self.journal.stage("tcp") as note:
            await check_proxy(endpoint, LIMITS, proxy)
            note.detail = f"through the proxy {proxy}"
        return endpoint.host

    async def _tls(self, endpoint: Endpoint, address: str) -> None:
        settings = endpoint.settings
        if settings.scheme == "http":
            self.journal.skip("tls", "the target is set to http: NTLM encrypts the messages itself")
            return
        async with self.journal.stage("tls") as note:
            shown = await presented_certificate(endpoint, LIMITS, address)
            if shown is None:
                raise endpoint.fault("tls_protocol_mismatch", "no TLS handshake")
            try:
                await check_tls(endpoint, LIMITS, address)
            except StepFault:
                self.journal.certificate = described(shown, settings, trusted=False)
                raise
            trusted = settings.fingerprint is not None or settings.verify_tls
            self.journal.certificate = described(shown, settings, trusted=trusted)
            certificate = self.journal.certificate
            how = (
                "pinned"
                if certificate.pinned
                else "trusted"
                if trusted
                else "NOT VERIFIED: verify_tls is off"
            )
            note.detail = f"{certificate.subject}, {how}, valid until {certificate.not_after}"

    async def _log_in(self, endpoint: Endpoint) -> tuple[Connection, str, StepFault | None]:
        """The first shell is the login. A fault that is not about the login is the next stage's."""
        async with self.journal.stage("auth") as note:
            credential = usable(self.credential, endpoint)
            status, offered = await self._offered(endpoint)
            self.journal.auth_methods = offered
            if endpoint.settings.proxy is not None and status in PROXY_STATUSES:
                raise endpoint.fault("proxy_answered", f"HTTP {status}")
            note.detail = f"the host offers {', '.join(offered) or f'no login (HTTP {status})'}"
            if status == http.client.UNAUTHORIZED and not fits(endpoint.settings.transport, offered):
                known = ", ".join(offered) or "no login we know"
                detail = f"it offers {known}, the target is set to {endpoint.settings.transport}"
                raise endpoint.fault("auth_unsupported", detail, user=credential.username)
            await sit_down(self.seat, self.target, credential, endpoint.settings.max_concurrent)
            connection = Connection(endpoint, credential, LIMITS.operation, self.pool, [])
            try:
                async with self.logins.first(self.target, credential):
                    shell_id, refused = await self._first_shell(connection)
            except BaseException:
                await connection.drop()
                raise
            how = "" if refused else f" ({endpoint.settings.transport})"
            note.detail = f"logged in as {credential.username}{how}; {note.detail}"
        return connection, shell_id, refused

    async def _first_shell(self, connection: Connection) -> tuple[str, StepFault | None]:
        """Its id, or why the host refused one to somebody whom it knows. Raises StepFault for the login."""
        try:
            for lost in self.names.earlier:
                await delete(connection, lost)
            shell_id = await open_named(connection, self.names.own, idle=SHELL_IDLE_TIMEOUT)
        except Troubled as trouble:
            fault = connection.fault(trouble.diagnosis, acted=False)
            answered = trouble.diagnosis.situation in {Situation.FINAL, Situation.FULL}
            if fault.cause.code in LOGIN_CODES or not answered:
                raise fault from trouble
            return "", fault
        return shell_id, None

    async def _offered(self, endpoint: Endpoint) -> tuple[int, list[str]]:
        """Status and login schemes of an answer to a request without any login: no attempt is counted."""
        try:
            return await self.pool.run(ask_without_login, endpoint, LIMITS)
        except (OSError, http.client.HTTPException) as error:
            direct = endpoint.settings.proxy is None
            if direct and endpoint.settings.scheme == "http" and await speaks_tls(endpoint, LIMITS):
                raise endpoint.fault("tls_required") from error
            if isinstance(error, http.client.BadStatusLine | http.client.UnknownProtocol):
                raise endpoint.fault("not_winrm", "its answer is not HTTP") from error
            raise endpoint.fault("unreachable", str(error) or "it closed the connection") from error

    async def _command(self, connection: Connection, shell_id: str, refused: StepFault | None) -> None:
        async with self.journal.stage("command") as note:
            if refused is not None:
                raise refused
            try:
                output = await _output_of_facts(connection, shell_id)
                quotas = await _quotas(connection)
            except Troubled as trouble:
                raise connection.fault(trouble.diagnosis, acted=False) from trouble
            finally:
                await _delete(connection, shell_id)
            facts = facts_in(output)
            if "powershell" not in facts:
                said = " ".join(output.split())[:200]
                raise connection.endpoint.fault("script_not_run", f"it said {said!r}")
            self.journal.system = {**facts, **quotas}
            note.detail = ", ".join(f"{name} {value}" for name, value in facts.items())


def facts_in(output: str) -> dict[str, str]:
    """What the test's script wrote, whatever else stands between."""
    facts = {}
    for line in output.splitlines():
        name, equals, value = line.strip().removeprefix("ops:").partition("=")
        if line.strip().startswith("ops:") and equals:
            facts[name] = value[:200]
    if version := VERSION.search(output):
        facts["os"] = f"Windows {version[1]}"
    return facts


def quotas_in(answer: str) -> dict[str, str]:
    """Quotas that an answer about `winrm/config` names."""
    found = {name: re.search(rf"<[\w:]*{name}>(\d+)</", answer) for name in QUOTAS}
    return {name: match[1] for name, match in found.items() if match}


async def _output_of_facts(connection: Connection, shell_id: str) -> str:
    script = base64.b64encode(FACTS.encode("utf-16-le")).decode()
    arguments = ("-NoProfile", "-NonInteractive", "-EncodedCommand", script)
    command_id = await connection.run(WinrmClient.start_command, shell_id, "powershell.exe", arguments)
    output = b""
    for _ in range(RECEIVES):
        frame = await connection.run(WinrmClient.receive, shell_id, command_id)
        if frame is not None:
            output += frame.stdout
            if frame.exit_code is not None:
                break
    return output.decode("utf-8", "replace")


async def _quotas(connection: Connection) -> Mapping[str, str]:
    """Only administrators may read them; whoever may not is no worse off."""
    try:
        return quotas_in(await connection.run(WinrmClient.configuration))
    except Troubled:
        return {}


async def _delete(connection: Connection, shell_id: str) -> None:
    try:
        await connection.run(WinrmClient.delete_shell, shell_id)
    except Troubled:
        await connection.drop()  # out of reach: the host deletes the shell by itself
