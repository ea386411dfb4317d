"""The two systems that are compared, each as real processes with a database of its own."""

import asyncio
import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from infra.broker import declare_topology
from infra.database import connect
from infra.embedded.ports import free_port
from infra.migrations.run import migrate
from infra.sealing import generate_pair
from tests.load import baseline
from tests.load.surroundings import Pair, own_database

READY_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
PASSWORD = "a-Password-for-measuring"


class System:
    """Processes under measurement, and how to ask them for a run."""

    name: str
    path: str
    counts: str
    """One row: runs, and how many of them were claimed exactly once and ended well."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.port = free_port(18200)
        self.headers: dict[str, str] = {}
        self.polls = 0
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._database: Any = None
        self._client = httpx2.AsyncClient(timeout=60)

    def body(self, targets: int = 0) -> str:
        raise NotImplementedError

    def spawn(self, *arguments: str, env: Mapping[str, str]) -> None:
        log = (self._folder / f"{self.name}-{arguments[0]}.log").open("ab")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments], env=os.environ | env, stdout=log, stderr=log
            )
        self._processes.append(process)

    async def connect(self) -> None:
        self._database = await asyncpg.connect(self.database_url)

    async def query(self, statement: str, *values: object) -> Any:
        """The first row, asked on a connection of the measurement itself; such queries are counted."""
        self.polls += 1
        return await self._database.fetchrow(statement, *values)

    async def execute(self, statement: str, *values: object) -> None:
        self.polls += 1
        await self._database.execute(statement, *values)

    async def all_ended(self, *, within: float) -> float:
        """Wait until no run is open; the time at which that was seen."""
        deadline = time.monotonic() + within
        while (await self.query("SELECT count(*) AS open FROM runs WHERE ended_at IS NULL"))["open"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: runs are still open after {within:g} s")
            await asyncio.sleep(0.01)
        return time.monotonic()

    async def commits(self) -> int:
        """Transactions of this database so far, the measurement's own left out.

        Servers tell them late: a connection's are only known after it has been idle for ten seconds.
        """
        row = await self.query(
            "SELECT xact_commit + xact_rollback AS done FROM pg_stat_database"
            " WHERE datname = current_database()"
        )
        return int(row["done"]) - self.polls

    def cpu_seconds(self) -> list[float]:
        return [_cpu_seconds(process.pid) for process in self._processes]

    def memory_mib(self) -> float:
        return sum(_resident_mib(process.pid) for process in self._processes)

    def peak_mib(self, module: str) -> float:
        """The most memory that `python -m module` has had at once."""
        [process] = [process for process in self._processes if module in process.args]  # type: ignore[operator]
        return _resident_mib(process.pid, "VmHWM")

    async def stop(self) -> None:
        await self._client.aclose()
        if self._database is not None:
            await self._database.close()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                await asyncio.to_thread(process.wait, 15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident_mib(pid: int, field: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


class Product(System):
    """Gateway and all workers, as `opsconductor up` runs them: two processes."""

    name = "ours"
    counts = """
        SELECT count(DISTINCT r.id) AS runs, count(DISTINCT t.id) AS tasks, count(a.task_id) AS attempts,
               count(*) FILTER (WHERE t.attempt = 1 AND t.fence = 1 AND t.state = 'succeeded'
                                  AND a.state = 'succeeded' AND r.status = 'succeeded') AS once
          FROM runs AS r LEFT JOIN tasks AS t ON t.run_id = r.id LEFT JOIN attempts AS a ON a.task_id = t.id
    """

    async def start(self, amqp_url: str, *, slots: int = 100) -> None:
        engine = connect(self.database_url, name="load")
        await migrate(engine)
        await engine.dispose()
        await declare_topology(amqp_url, queue_type="quorum")
        pair = generate_pair()
        private, public = pair if "PRIVATE" in pair[0] else pair[::-1]
        health = free_port(self.port + 1)
        shared = {
            "OPS_DATABASE_URL": self.database_url,
            "OPS_AMQP_URL": amqp_url,
            "OPS_SLOTS": str(slots),
            "OPS_JWT_KEYS": f"load:{base64.b64encode(secrets.token_bytes(48)).decode()}",
            "OPS_SEAL_PUBLIC_KEY": public,
            "OPS_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
            "OPS_PORT": str(self.port),
            "OPS_HEALTH_PORT": str(health),
        }
        self.spawn("gateway", env=shared)
        self.spawn("workers", env=shared | {"OPS_SEAL_PRIVATE_KEY": private})
        await self.connect()
        for port in (self.port, health):
            await _ready(f"http://127.0.0.1:{port}/readyz")
        await self._sign_in()
        job = await self.post("/api/v1/jobs", {"name": "trivial", "steps": [{"type": "wait", "seconds": 0}]})
        self.path = f"/api/v1/jobs/{job['id']}/run"

    async def _sign_in(self) -> None:
        tokens = await self.post("/api/login", {"username": "admin", "password": PASSWORD})
        self.headers = {"authorization": f"Bearer {tokens['access_token']}"}

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.port}{path}"
        answer = await self._client.post(address, json=body, headers=self.headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return dict(answer.json())

    def body(self, targets: int = 0) -> str:
        return json.dumps({"targets": [f"t{n}" for n in range(targets)]} if targets else {})

    async def add_targets(self, count: int) -> None:
        """Targets without credential, named as `body` names them."""
        await self.execute(
            """
            INSERT INTO targets (id, project_id, name, os, hostname, created_by)
            SELECT gen_random_uuid(), p.id, 't' || n, 'linux', 'host-' || n, 'system'
              FROM projects AS p, generate_series(0, $1::int - 1) AS n
            """,
            count,
        )
        await self.execute("ANALYZE targets")


class Baseline(System):
    """The bare prototype: API and worker."""

    name = "limit"
    path = "/run"
    counts = """
        SELECT count(*) AS runs, count(*) AS tasks, sum(claims) AS attempts,
               count(*) FILTER (WHERE claims = 1 AND ended_at IS NOT NULL) AS once FROM runs
    """

    async def start(self, amqp_url: str) -> None:
        await self.connect()
        await self._database.execute(baseline.SCHEMA)
        env = {"BASELINE_DATABASE": self.database_url, "BASELINE_AMQP": amqp_url}
        self.spawn("tests.load.baseline", "api", str(self.port), env=env)
        self.spawn("tests.load.baseline", "worker", env=env)
        await _ready(f"http://127.0.0.1:{self.port}/openapi.json")

    def body(self, targets: int = 0) -> str:
        return json.dumps({"targets": targets})


async def _ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    async with httpx2.AsyncClient(timeout=5) as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx2.TransportError:
                pass  # it does not listen yet
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} was not ready after {READY_SECONDS:g} s")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def product(pair: Pair, folder: Path, *, slots: int = 100) -> AsyncIterator[Product]:
    async with own_database(pair, folder) as url:
        system = Product(url, folder)
        try:
            await system.start(pair.amqp_url, slots=slots)
            yield system
        finally:
            await system.stop()


@asynccontextmanager
async def limit(pair: Pair, folder: Path) -> AsyncIterator[Baseline]:
    async with own_database(pair, folder) as url:
        system = Baseline(url, folder)
        try:
            await system.start(pair.amqp_url)
            yield system
        finally:
            await system.stop()
