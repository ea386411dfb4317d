"""A running system of real processes on a database and a broker of its own, with hosts to act on."""

import asyncio
import base64
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from contracts.limits import OUTPUT_HEAD_BYTES
from infra.sealing import generate_pair
from tests.support import watching
from tests.support.eventually import PATIENCE, eventually
from tests.support.killable_brokers import Broker
from tests.support.ports import free_port
from tests.support.processes import Child, clean_environment, module

LEASE_SECONDS = 6.0
HEARTBEAT_SECONDS = 1.0
"""A busy machine may keep an executor from its processor for some seconds without costing it its lease."""
ENDING_SECONDS = 2 * PATIENCE
PASSWORD = "an-Unlikely-phrase-7301"
USER, SECRET = "demo", "sandbox-password"
SLOTS = 200


def plain_url(url: str) -> str:
    """The address as asyncpg reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://")


class System:
    """Starts and ends the processes; speaks to the API and the database; reads what the target saw."""

    def __init__(self, folder: Path, *, database_url: str, broker: Broker) -> None:
        self.folder = folder
        self.broker = broker
        self.database_url = database_url
        self.ledger = folder / "starts"
        self.children: list[Child] = []
        self.accepted: set[UUID] = set()
        self.repeatable: set[UUID] = set()
        self.port = free_port()
        self._targets: dict[str, str] = {}
        self._names = 0
        private, public = generate_pair()
        self.environment = clean_environment(
            OPS_DATABASE_URL=database_url,
            OPS_AMQP_URL=broker.url,
            OPS_PORT=str(self.port),
            OPS_LEASE_SECONDS=str(LEASE_SECONDS),
            OPS_HEARTBEAT_SECONDS=str(HEARTBEAT_SECONDS),
            OPS_SLOTS=str(SLOTS),
            OPS_SEAL_PUBLIC_KEY=public,
            OPS_SEAL_PRIVATE_KEY=private,
            OPS_JWT_KEYS=f"test:{base64.b64encode(os.urandom(48)).decode()}",
            OPS_BOOTSTRAP_ADMIN_PASSWORD=PASSWORD,
            OPS_DRAIN_SECONDS="2",
            OPS_EGRESS_ALLOW="127.0.0.0/8",
        )
        self.api = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)
        self.ssh: dict[str, Any] = {}
        self.windows: dict[str, Any] = {}

    # -- processes

    def start(self, role: str, **settings: str) -> Child:
        """Start a role without waiting for it."""
        self._names += 1
        words = ("gateway",) if role == "gateway" else ("workers", *role.split("+"))
        name = f"{role}-{self._names}"
        environment = self.environment | settings
        child = Child(name, module(*words), env=environment, log=self.folder / f"{name}.log")
        self.children.append(child)
        return child

    async def started(self, role: str, **settings: str) -> Child:
        """Start a role and wait until it is at work."""
        child = self.start(role, **settings)
        await self.at_work(child)
        return child

    async def at_work(self, *children: Child) -> None:
        for child in children:
            if child.name.startswith("gateway"):
                await eventually(self._gateway_answers, every=0.1)
            else:
                await eventually(lambda c=child: c.said("process.ready"))

    async def _gateway_answers(self) -> bool:
        try:
            return (await self.api.get("/livez")).status_code == 200
        except httpx2.TransportError:
            return False

    async def start_hosts(self) -> None:
        """The sandbox hosts in a process of their own."""
        home = self.folder / "home"
        child = Child(
            "sandbox",
            module("infra.sandbox"),
            env=clean_environment(
                OPS_SANDBOX_USERNAME=USER, OPS_SANDBOX_PASSWORD=SECRET, OPS_SANDBOX_HOME=str(home)
            ),
            log=self.folder / "sandbox.log",
        )
        self.children.append(child)
        await eventually(lambda: child.said("\n"))
        told = json.loads(child.log.read_text().splitlines()[0])
        self.ssh, self.windows = told["ssh"], told["windows"]

    def use_database(self, url: str) -> None:
        """Processes started from now on work on this database, with the same keys."""
        self.database_url = url
        self.environment["OPS_DATABASE_URL"] = url

    def the(self, role: str) -> Child:
        """The one process of this role that lives."""
        [child] = [child for child in self.children if child.alive and child.name.startswith(f"{role}-")]
        return child

    def end_workers(self) -> None:
        """Kill every process but the hosts."""
        for child in self.children:
            if child.alive and child.name != "sandbox":
                child.kill()

    def end(self, role: str) -> None:
        """Kill what is left of a role."""
        for child in self.children:
            if child.alive and child.name.startswith(f"{role}-"):
                child.kill()

    def end_all(self) -> None:
        """Kill what is left, the hosts last of all and gently: they end what runs on them."""
        self.end_workers()
        for child in self.children:
            if child.alive:
                child.terminate()
                child.wait()
        self.broker.stop()

    # -- the API

    async def sign_in(self) -> None:
        answer = await self.api.post("/api/login", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.api.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    async def made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the API answers to the making of one credential, target or job."""
        answer = await self.api.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def targets(self, count: int, **ssh: Any) -> list[str]:
        """Names of so many targets, all of them the one sandbox host."""
        if "credential" not in self._targets:
            made = await self.made(
                "credentials", {"name": "demo", "type": "ssh", "username": USER, "password": SECRET}
            )
            self._targets["credential"] = made["id"]
        names = [f"host-{number}" for number in range(count)]
        for name in names:
            if name not in self._targets:
                body = {"name": name, "os": "linux", "hostname": "127.0.0.1"}
                body |= {"credential_id": self._targets["credential"]}
                made = await self.made("targets", body | {"ssh": self.ssh | {"max_concurrent": 50} | ssh})
                self._targets[name] = made["id"]
        return names

    async def linux_target(self, name: str, **ssh: Any) -> str:
        """The name of a new target that is the sandbox host, with other settings."""
        await self.targets(1)
        body = {"name": name, "os": "linux", "hostname": "127.0.0.1", "ssh": self.ssh | ssh}
        await self.made("targets", body | {"credential_id": self._targets["credential"]})
        return name

    async def windows_target(self, name: str = "win", **winrm: Any) -> str:
        """The name of a target that is the simulated Windows host, or another one at `port`."""
        if "windows" not in self._targets:
            login = {"name": "windows", "type": "winrm", "username": USER, "password": SECRET}
            self._targets["windows"] = (await self.made("credentials", login))["id"]
        settings = {"scheme": "http", "transport": "ntlm", "port": self.windows["http_port"]} | winrm
        body = {"name": name, "os": "windows", "hostname": "127.0.0.1", "winrm": settings}
        if self._targets.get(name) is None:
            made = await self.made("targets", body | {"credential_id": self._targets["windows"]})
            self._targets[name] = made["id"]
        return name

    async def artifact(self, content: bytes) -> str:
        """The id of an uploaded file."""
        answer = await self.api.post("/api/v1/artifacts", params={"name": "f.bin"}, content=content)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def job(self, *steps: Mapping[str, Any], **fields: Any) -> str:
        self._names += 1
        body = {"name": f"job {self._names}", "steps": list(steps)} | fields
        return str((await self.made("jobs", body))["id"])

    async def run(self, job_id: str, parameters: Mapping[str, Any] | None = None, /, **headers: str) -> UUID:
        """The id of an accepted run; it has to end from now on."""
        body = {"parameters": dict(parameters)} if parameters else {}
        answer = await self.api.post(f"/api/v1/jobs/{job_id}/run", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        run_id = UUID(answer.json()["id"])
        self.accepted.add(run_id)
        return run_id

    async def post(self, path: str) -> httpx2.Response:
        return await self.api.post(f"/api/v1/{path}")

    async def discard(self, letter_id: UUID) -> httpx2.Response:
        return await self.api.post(f"/api/v1/dlq/{letter_id}/discard", json={"reason": "of no use"})

    # -- the database

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(plain_url(self.database_url), timeout=PATIENCE)
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    async def value(self, sql: str, *values: Any) -> Any:
        return (await self.rows(sql, *values))[0][0]

    async def statuses(self, run_ids: Iterable[UUID]) -> Counter[str]:
        rows = await self.rows("SELECT status FROM runs WHERE id = ANY($1)", list(run_ids))
        return Counter(row["status"] for row in rows)

    async def task_states(self, run_id: UUID) -> Counter[str]:
        rows = await self.rows("SELECT state FROM tasks WHERE run_id = $1", run_id)
        return Counter(row["state"] for row in rows)

    async def until_ended(self, run_ids: Iterable[UUID], *, within: float = ENDING_SECONDS) -> Counter[str]:
        """The statuses of these runs once all of them have ended."""
        ids = list(run_ids)

        async def ended() -> bool:
            open_runs = await self.rows("SELECT id FROM runs WHERE id = ANY($1) AND ended_at IS NULL", ids)
            return not open_runs

        try:
            await eventually(ended, within=within, every=0.1)
        except AssertionError:
            raise AssertionError(await self.story(ids)) from None
        return await self.statuses(ids)

    async def story(self, run_ids: Sequence[UUID]) -> str:
        """What stands in the way of these runs, for a failing test to show."""
        runs = await self.rows(
            "SELECT id, status, tally, parked_by FROM runs WHERE id = ANY($1) AND ended_at IS NULL", run_ids
        )
        tasks = await self.rows(
            """SELECT t.run_id, t.id, t.state, t.attempt, t.fence, t.worker_id, t.unplanned, t.not_before,
                      w.lease_until - now() AS lease, a.handle, a.reattached
                 FROM tasks AS t LEFT JOIN workers AS w ON w.id = t.worker_id
                 LEFT JOIN attempts AS a ON a.task_id = t.id AND a.number = t.attempt
                WHERE t.run_id = ANY($1) AND t.ended_at IS NULL LIMIT 5""",
            run_ids,
        )
        lines = [f"{len(runs)} runs are still open"]
        lines += [str(dict(row)) for row in (*runs[:3], *tasks)]
        return "\n".join(lines)

    async def running(self, run_id: UUID, count: int) -> None:
        """Wait until so many tasks of a run have really started on the target."""

        async def started() -> bool:
            tasks = await self.rows("SELECT id FROM tasks WHERE run_id = $1", run_id)
            return len({row["id"] for row in tasks} & self.starts().keys()) >= count

        await eventually(started, every=0.05)

    # -- the target

    def script(self, *, rounds: int, lines: int = 20, pause: float = 0.5) -> str:
        """A script that notes its start in the ledger and prints numbered lines, `rounds` times `lines`."""
        return (
            f'echo "$0" >>{self.ledger}; r=0; while [ $r -lt {rounds} ]; do i=0; '
            f'while [ $i -lt {lines} ]; do echo "$r $i"; i=$((i+1)); done; r=$((r+1)); sleep {pause}; done'
        )

    @staticmethod
    def printed(*, rounds: int, lines: int = 20) -> str:
        return "".join(f"{r} {i}\n" for r in range(rounds) for i in range(lines))

    async def starts_of(self, *runs: UUID) -> int:
        """How many starts of tasks of these runs the target saw."""
        starts = self.starts()
        tasks = await self.rows("SELECT id FROM tasks WHERE run_id = ANY($1)", list(runs))
        return sum(starts[row["id"]] for row in tasks)

    def starts(self) -> Counter[UUID]:
        """How often the target saw each task start; the script's folder is named after its task."""
        if not self.ledger.exists():
            return Counter()
        lines = self.ledger.read_text().splitlines()
        return Counter(UUID(Path(line).parent.name.split(".")[0]) for line in lines)

    async def outputs(self, run_id: UUID) -> dict[UUID, str]:
        """By task, what is stored of its standard output."""
        rows = await self.rows(
            """SELECT task_id, string_agg(data, '' ORDER BY attempt, seq) AS text FROM output_chunks
                WHERE run_id = $1 AND stream = 'stdout' GROUP BY task_id""",
            run_id,
        )
        assert all(len(row["text"]) < OUTPUT_HEAD_BYTES for row in rows)
        return {row["task_id"]: row["text"] for row in rows}


@asynccontextmanager
async def a_system(folder: Path, *, database_url: str, broker: Broker) -> AsyncIterator[System]:
    """Broker, hosts and a watch on every change of state; no role is started yet."""
    system = System(folder, database_url=database_url, broker=broker)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(system.api.aclose)
        stack.callback(system.end_all)
        await broker.start()
        await watching.install(plain_url(database_url))
        await system.start_hosts()
        yield system


async def a_moment(least: float, most: float) -> None:
    """Let a random time pass: kills come when they come."""
    await asyncio.sleep(random.uniform(least, most))
