"""Starting all parts in the order they need one another, as much at the same time as possible."""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from cli.client.problems import CliError
from cli.places import DataFolder, RunningServices
from cli.up import services
from cli.up.environments import LOOPBACK, Ports, Wiring
from cli.up.screen import Screen
from cli.up.secrets import FirstPassword, keep_secrets
from infra.embedded.logs import LogFolder
from infra.embedded.ports import LAST_PORT, RememberedPorts, free_port, require_port
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.services import Service
from infra.embedded.supervisor import Supervisor

POSTGRES_PORT = 54_329
HTTP_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What was asked for on the command line."""

    sandbox: bool = True
    samples: bool = True
    verbose: bool = False


@dataclass(slots=True, kw_only=True)
class System:
    """Everything that runs, once it does."""

    wiring: Wiring
    folder: DataFolder
    database_url: str = field(repr=False)
    sandbox: services.Sandbox | None
    first_password: FirstPassword
    first_start: bool = False


@dataclass(slots=True)
class Starter:
    """Starts the parts under one supervisor."""

    supervisor: Supervisor
    folder: DataFolder
    options: UpOptions
    screen: Screen
    logs: LogFolder

    async def start(self) -> System:
        """Everything ready; raises what keeps a part from starting."""
        wiring, output = self._wiring(), services.Output(self.logs, self._shown())
        sandbox = services.Sandbox(wiring, output) if self.options.sandbox else None
        system = System(
            wiring=wiring,
            folder=self.folder,
            database_url=os.environ.get("OPS_DATABASE_URL", ""),
            sandbox=sandbox,
            first_password=FirstPassword(self.folder.secrets),
        )
        try:
            async with asyncio.TaskGroup() as group:
                base = [group.create_task(part) for part in self._base(system, output)]
                if sandbox is not None:
                    group.create_task(self._start(sandbox))
                # Importing takes about as long as the servers above need: done meanwhile.
                await asyncio.gather(*base, _imported("cli.up.settings"))
                await self._start_application(group, system, output)
        except BaseExceptionGroup as failures:
            raise _first(failures) from None
        self.folder.tell(
            RunningServices(
                database_url=system.database_url,
                amqp_url=wiring.amqp_url,
                http_url=wiring.http_url,
                workers_port=wiring.ports.workers,
            )
        )
        return system

    def _base(self, system: System, output: services.Output) -> list[Coroutine[Any, Any, None]]:
        parts: list[Coroutine[Any, Any, None]] = []
        if not system.database_url:
            parts.append(self._start_postgres(system))
        if not os.environ.get("OPS_AMQP_URL"):
            parts.append(self._start(services.broker(system.wiring, output)))
        return parts

    async def _start_postgres(self, system: System) -> None:
        postgres = _Postgres(
            EmbeddedPostgres(
                self.folder.postgres,
                lambda: self._port("postgres", POSTGRES_PORT),
                on_line=(lambda line: self.screen.note(f"postgres: {line}"))
                if self.options.verbose
                else None,
            )
        )
        await self._start(postgres)
        system.database_url = postgres.url

    async def _start_application(
        self, group: asyncio.TaskGroup, system: System, output: services.Output
    ) -> None:
        """Workers wait for the schema by themselves; the gateway refuses to start without it."""
        settings = (await _imported("cli.up.settings")).require_safe(system.wiring, system.database_url)
        workers = services.workers(system.wiring, output, database_url=system.database_url)
        group.create_task(self._start(workers))
        system.first_start = await (await _imported("cli.up.schema")).prepare(settings)
        chosen = os.environ.get("OPS_BOOTSTRAP_ADMIN_PASSWORD")
        password = (chosen or system.first_password.make()) if system.first_start else None
        gateway = services.gateway(
            system.wiring,
            output,
            database_url=system.database_url,
            first_password=password,
            made_up=chosen is None,
            sandbox=system.sandbox is not None,
        )
        await self._start(gateway)

    async def _start(self, service: Service) -> None:
        await self.supervisor.start(service)

    def _wiring(self) -> Wiring:
        host = os.environ.get("OPS_HOST") or LOOPBACK
        return Wiring(
            inherited=dict(os.environ),
            ports=Ports(
                http=http_port(host),
                workers=self._port("workers", 8_181),
                amqp=self._port("broker", 56_720),
                sandbox_ssh=self._port("sandbox-ssh", 22_022),
                sandbox_http=self._port("sandbox-winrm-http", 59_850),
                sandbox_https=self._port("sandbox-winrm-https", 59_860),
            ),
            secrets=keep_secrets(self.folder.secrets),
            host=host,
            sandbox_home=self.folder.sandbox,
        )

    def _port(self, name: str, preferred: int) -> int:
        chosen = RememberedPorts(self.folder.ports).choose(name, preferred=preferred)
        if chosen.note:
            self.screen.note(chosen.note)
        return chosen.port

    def _shown(self) -> Any:
        return self.screen.note if self.options.verbose else None


class _Postgres:
    """The embedded server, remembering the address that its start returns."""

    name = EmbeddedPostgres.name

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self.url = ""

    async def start(self) -> None:
        self.url = await self._server.start()

    async def wait(self) -> str:
        return await self._server.wait()

    async def stop(self) -> None:
        await self._server.stop()

    def kill(self) -> None:
        self._server.kill()


def http_port(host: str) -> int:
    """`OPS_PORT`, which people know us by: taken is an error, not another port."""

    text = os.environ.get("OPS_PORT") or str(HTTP_PORT)
    if not (text.isdecimal() and 0 < int(text) <= LAST_PORT):
        raise CliError(f"OPS_PORT is not a port number: {text!r}.")
    port = int(text)
    other = free_port(port + 1 if port < LAST_PORT else HTTP_PORT, host=host)
    require_port(port, host=host, purpose="the API", setting=f"`OPS_PORT={other} make up`")
    return port


async def _imported(name: str) -> Any:
    """A module that takes long to import, imported in a thread so that the services are not kept waiting."""
    return await asyncio.to_thread(import_module, name)


def _first(failures: BaseExceptionGroup) -> BaseException:
    """The failure that made the others: a group is no message for people."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
