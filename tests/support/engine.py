"""Jobs, targets, workers and runs put straight into a database, for tests of the workers' own SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.runs.states import TASK_TERMINAL, TaskState
from contracts.tables.base import DEFAULT_PROJECT_ID
from infra.database import Sessions, sessions_of
from infra.ids import uuid7
from infra.unit_of_work import OpenUnitOfWork, unit_of_work
from tests.support.api import CollectingRelay
from workers import leases
from workers.definitions import Definitions
from workers.executor import holding, store
from workers.executor.claims import claim
from workers.executor.holding import Claimed
from workers.executor.store import Settlement
from workers.orchestrator import usecases


@dataclass
class Engine:
    """The orchestrator's and the executor's use-cases over one database."""

    engine: AsyncEngine
    relay: CollectingRelay = field(default_factory=CollectingRelay)

    def __post_init__(self) -> None:
        self.sessions: Sessions = sessions_of(self.engine)
        self.open_uow: OpenUnitOfWork = unit_of_work(self.sessions, self.relay)
        self.definitions = Definitions()

    async def execute(self, sql: str, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).all())

    async def scalar(self, sql: str, **values: Any) -> Any:
        return (await self.rows(sql, **values))[0][0]

    async def targets(self, count: int, *, pool: str = "default") -> None:
        """Targets `t0` … in one statement."""
        await self.execute(
            """INSERT INTO targets (id, project_id, name, os, hostname, pool, created_by)
               SELECT gen_random_uuid(), :project, 't' || i, 'linux', 'h' || i, :pool, 'test'
                 FROM generate_series(0, :last) AS i""",
            project=DEFAULT_PROJECT_ID,
            pool=pool,
            last=count - 1,
        )

    async def run(self, *steps: Mapping[str, Any], targets: Sequence[str] = (), **definition: Any) -> UUID:
        """A requested run of a new job."""
        job, run = uuid7(), uuid7()
        document = {"name": f"job {job}", "steps": list(steps)} | definition
        await self.execute(
            """INSERT INTO jobs (id, project_id, name, current_version, created_by)
               VALUES (:job, :project, :name, 1, 'test')""",
            job=job,
            project=DEFAULT_PROJECT_ID,
            name=str(job),
        )
        await self.execute(
            """INSERT INTO job_versions (job_id, version, definition, created_by)
               VALUES (:job, 1, CAST(:document AS jsonb), 'test')""",
            job=job,
            document=orjson.dumps(document).decode(),
        )
        await self.execute(
            """INSERT INTO runs (id, project_id, job_id, job_version, status, targets, requested_by,
                                 correlation_id)
               VALUES (:run, :project, :job, 1, 'requested', :targets, 'test', :run)""",
            run=run,
            project=DEFAULT_PROJECT_ID,
            job=job,
            targets=list(targets) or None,
        )
        return run

    async def fleet_run(
        self, count: int, *, step: Mapping[str, Any] | None = None, **definition: Any
    ) -> UUID:
        """A started run of one repeatable step over `count` new targets."""
        await self.targets(count)
        spec = {"type": "ssh.exec", "command": "id"} | dict(step or {})
        run = await self.run(spec, targets=[f"t{i}" for i in range(count)], **definition)
        await self.start(run)
        return run

    async def start(self, *runs: UUID) -> None:
        await usecases.start_runs(runs, open_uow=self.open_uow, definitions=self.definitions)

    async def advance(self, *runs: UUID) -> None:
        await usecases.advance_runs(runs, open_uow=self.open_uow, definitions=self.definitions)

    async def cancel(self, run: UUID) -> None:
        await self.execute("UPDATE runs SET cancel_requested_at = now() WHERE id = :run", run=run)

    async def worker(self, *, lease: float = 600) -> UUID:
        worker = uuid7()
        facts = leases.WorkerFacts(
            id=worker, roles=["executor"], pools=["default"], slots=10, host="h", pid=1, version="0"
        )
        async with self.sessions.begin() as session:
            await leases.register(session, facts, lease_seconds=lease)
        return worker

    async def claim(self, worker: UUID, *, limit: int = 1_000, named: Sequence[UUID] = ()) -> list[Claimed]:
        """Claim for this worker; everything it holds now and did not claim before is returned."""
        async with self.sessions.begin() as session:
            claimed = await claim(session, worker_id=worker, pools=["default"], limit=limit, named=named)
            return await holding.held(session, worker_id=worker, named=claimed.ids)

    async def settle(self, tasks: Sequence[Claimed], state: str = "succeeded") -> set[UUID]:
        """Settle as an executor would; `pending` means a failed attempt that may be repeated."""
        async with self.sessions.begin() as session:
            return await store.settle(session, [settlement(task, state) for task in tasks])

    async def states(self, run: UUID) -> dict[str, int]:
        rows = await self.rows("SELECT state, count(*) FROM tasks WHERE run_id = :r GROUP BY 1", r=run)
        return {row.state: row.count for row in rows}

    async def status(self, run: UUID) -> str:
        return str(await self.scalar("SELECT status FROM runs WHERE id = :run", run=run))

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement sent while the block runs."""
        sent: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        event.listen(self.engine.sync_engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self.engine.sync_engine, "before_cursor_execute", note)


def settlement(task: Claimed, state: str = "succeeded") -> Settlement:
    target = TaskState(state)
    return Settlement(
        task_id=task.id,
        run_id=task.run_id,
        attempt=task.attempt,
        fence=task.fence,
        task_state=target,
        attempt_state=TaskState.FAILED if target not in TASK_TERMINAL else target,
        correlation_id=task.correlation_id,
        requested_by=task.requested_by,
    )
