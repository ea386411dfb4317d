"""The running server: started, watched and stopped by the one process that owns its data folder."""

import asyncio
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from infra.embedded import ports
from infra.embedded.errors import PortTaken, ServiceFailed
from infra.embedded.lock import FolderLock
from infra.embedded.logs import BoundedLog
from infra.embedded.postgres import cluster, provision
from infra.embedded.postgres.leftovers import stop_leftovers
from infra.embedded.process import ChildProcess, OnLine, describe_exit

START_SECONDS = 120.0
"""Enough to replay the log after a crash; a healthy start takes a fraction of a second."""

STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))
"""Fast shutdown: sessions are cut, data is written out. Immediate shutdown: the log is replayed next time."""

SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may not be longer than 107 bytes
    "shared_buffers": "96MB",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "io_method": "sync",  # no input/output worker processes
    "max_parallel_workers_per_gather": "0",  # containers often have a tiny /dev/shm
    "huge_pages": "off",
    "jit": "off",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "logging_collector": "off",  # our own bounded log reads what it writes
}


class EmbeddedPostgres:
    """PostgreSQL 18 on 127.0.0.1, for one application, with its data in `data_dir`.

    `data_dir` belongs to this server alone; it holds the data, generated passwords (0600), a bounded log and
    a lock. `port` may be a function: it is asked once, after a left-over server of this folder was stopped.
    As root the server runs as the folder's owner, else as account `opsconductor` or `nobody` and then from a
    copy of the programs in the folder. It ends when this process does (strictly, the thread that started it).

    Implements `infra.embedded.services.Service`.
    """

    name = "postgres"

    def __init__(
        self, data_dir: Path, port: int | Callable[[], int], *, on_line: OnLine | None = None
    ) -> None:
        self._folder = cluster.Folder(data_dir.absolute())
        self._port = port
        self._lock = FolderLock(self._folder.lock)
        self._log = BoundedLog(self._folder.log)
        self._on_line = on_line
        self._recent: deque[str] = deque(maxlen=20)
        self._process: ChildProcess | None = None

    async def start(self) -> str:
        """Start, and create data, role and database where missing; returns the database's URL.

        Raises DataFolderInUse, DataFolderUnusable, PortTaken or ServiceFailed, and says what to do; nothing
        is left running then. Also starts it again after it died.
        """
        if self.alive():
            raise ServiceFailed(f"The embedded PostgreSQL in {self._folder.path} is already running.")
        try:
            # Others may pass through (the server's account has to), not look around.
            self._folder.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            if not self._lock.held():
                self._lock.acquire()
            await stop_leftovers(self._folder.cluster)
            port = self._settled_port()
            installation = cluster.install(self._folder)
            if not self._folder.cluster.exists():
                await cluster.create(self._folder, installation)
            cluster.require_readable_version(self._folder)
            url = self._url(port)
            self._process = await self._spawn(installation, port)
            await self._until_ready(self._process, port)
        except BaseException as error:
            await self.stop()
            if isinstance(error, OSError):
                raise cluster.unusable(self._folder, error) from error
            raise
        return url

    async def stop(self) -> None:
        """Fast shutdown; returns when the server has ended and the folder is free for another supervisor."""
        if self._process is not None:
            await self._process.stop(*STOP_STEPS)
        self._log.close()
        self._lock.release()

    def kill(self) -> None:
        """Immediate shutdown, without waiting: committed data is safe, the next start replays the log."""
        if self._process is not None:
            self._process.send(signal.SIGQUIT)

    def alive(self) -> bool:
        return self._process is not None and self._process.alive()

    async def wait(self) -> str:
        """Until the server has ended; how it ended, in words."""
        if self._process is None:
            return "never started"
        return describe_exit(await self._process.wait())

    @property
    def pid(self) -> int | None:
        """Process id of the running server (the postmaster)."""
        return self._process.pid if self._process is not None and self._process.alive() else None

    def _settled_port(self) -> int:
        if callable(self._port):
            self._port = self._port()
        if not ports.is_free(self._port):
            raise PortTaken(
                self._port,
                host=ports.LOOPBACK,
                purpose="the embedded PostgreSQL",
                remedy="set OPS_DATABASE_URL to a PostgreSQL of yours",
            )
        return self._port

    def _url(self, port: int) -> str:
        password = quote(cluster.secret(self._folder.password), safe="")
        return (
            f"postgresql+asyncpg://{provision.ROLE}:{password}@{ports.LOOPBACK}:{port}/{provision.DATABASE}"
        )

    async def _spawn(self, installation: cluster.Installation, port: int) -> ChildProcess:
        self._recent.clear()
        settings = [f"--{name}={value}" for name, value in (SETTINGS | {"port": str(port)}).items()]
        return await ChildProcess.spawn(
            [str(installation.programs / "postgres"), "-D", str(self._folder.cluster), *settings],
            on_line=self._keep,
            env=cluster.environment(),
            cwd=self._folder.path,
            account=installation.account,
            death_signal=signal.SIGINT,
        )

    async def _until_ready(self, process: ChildProcess, port: int) -> None:
        ready = asyncio.create_task(provision.until_ready(self._folder, port))
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({ready, ended}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                return await ready
            state = describe_exit(await ended) if ended.done() else f"not ready after {START_SECONDS:g} s"
            raise ServiceFailed.with_log(
                f"The embedded PostgreSQL in {self._folder.path} did not start ({state}).", self._recent
            )
        finally:
            ready.cancel()
            ended.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def _keep(self, line: str) -> None:
        self._recent.append(line)
        self._log.write(line)
        if self._on_line is not None:
            self._on_line(line)
