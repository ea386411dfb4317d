from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import Sessions, connect, sessions_of
from infra.ids import uuid7
from tests.support.database import SessionDatabase, empty


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    database = SessionDatabase()
    yield database.url
    database.close()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = connect(database_url, name="tests")
    await empty(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    return sessions_of(engine)


class Floor:
    """Runs and tasks as rows, in whatever state a race leaves them in."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    async def a_run(self, steps: list[dict[str, object]], tally: list[dict[str, int]]) -> UUID:
        run_id, job_id = uuid7(), uuid7()
        async with self.sessions.begin() as session:
            project = await session.scalar(text("SELECT id FROM projects LIMIT 1"))
            values = {"run": run_id, "job": job_id, "project": project, "name": str(job_id)}
            await session.execute(
                text(
                    "INSERT INTO jobs (id, project_id, name, current_version, created_by)"
                    " VALUES (:job, :project, :name, 1, 'tests')"
                ),
                values,
            )
            definition = orjson.dumps({"name": "job", "steps": steps}).decode()
            await session.execute(
                text(
                    "INSERT INTO job_versions (job_id, version, definition, created_by)"
                    " VALUES (:job, 1, CAST(:definition AS jsonb), 'tests')"
                ),
                values | {"definition": definition},
            )
            await session.execute(
                text(
                    "INSERT INTO runs (id, project_id, job_id, job_version, status, tally, requested_by,"
                    " correlation_id) VALUES (:run, :project, :job, 1, 'running', CAST(:tally AS jsonb),"
                    " 'tests', :run)"
                ),
                values | {"tally": orjson.dumps(tally).decode()},
            )
        return run_id

    async def a_task(self, run_id: UUID, ordinal: int, state: str, **columns: object) -> UUID:
        task_id = uuid7()
        values = {"id": task_id, "run": run_id, "ordinal": ordinal, "state": state} | columns
        names = "".join(f", {name}" for name in columns)
        marks = "".join(f", :{name}" for name in columns)
        async with self.sessions.begin() as session:
            await session.execute(
                text(
                    f"INSERT INTO tasks (id, run_id, step_no, ordinal, pool, state{names})"
                    f" VALUES (:id, :run, 0, :ordinal, 'default', :state{marks})"
                ),
                values,
            )
        return task_id

    async def state(self, task_id: UUID) -> str:
        async with self.sessions() as session:
            return str(await session.scalar(text("SELECT state FROM tasks WHERE id = :id"), {"id": task_id}))


@pytest.fixture
def floor(sessions: Sessions) -> Floor:
    return Floor(sessions)
