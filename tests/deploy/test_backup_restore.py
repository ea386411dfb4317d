"""A dump taken while runs flow, restored into a fresh server: the runs go on, and streams are sane."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from infra.database import connect
from infra.embedded.postgres import EmbeddedPostgres
from infra.migrations.run import migrate
from tests.support import postgres_client
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.ports import free_port
from tests.support.processes import Child, clean_environment, module
from tests.support.system import System, a_system, plain_url

pytestmark = [pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="session")]

ROLES = ("gateway", "orchestrator", "executor", "caretaker")
OLDER_TRANSACTIONS = 5_000
DUMP = ("pg_dump", "--format=custom", "--no-owner", "--no-privileges")
RESTORE = ("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction")
"""The commands of docs/deployment.md, without the container around them."""


@asynccontextmanager
async def a_migrated(url: str) -> AsyncIterator[None]:
    """A schema, and a transaction counter that is well ahead of a new server's."""
    engine = connect(url, name="tests")
    try:
        await migrate(engine)
    finally:
        await engine.dispose()
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute("SET synchronous_commit = off")
        await connection.execute(
            f"""DO $$ BEGIN FOR i IN 1..{OLDER_TRANSACTIONS} LOOP
                  PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"""
        )
    finally:
        await connection.close()
    yield


@asynccontextmanager
async def a_server() -> AsyncIterator[str]:
    """The address of an empty database, as the application's own role, on a server that never ran before."""
    folder = Path(tempfile.mkdtemp(prefix="ops-test-restore-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, free_port)
    try:
        yield await server.start()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def opsconductor_migrate(url: str, system: System, log: Path) -> None:
    environment = clean_environment(OPS_DATABASE_URL=url, OPS_AMQP_URL=system.broker.url)
    child = Child("migrate", module("cli", "migrate"), env=environment, log=log)
    assert await asyncio.to_thread(child.wait) == 0, child.last_words()


async def events(system: System, run: UUID, *, after: str | None = None, until: str) -> list[tuple[str, str]]:
    """The (event, id) pairs of a stream up to the first `until`."""
    heard: list[tuple[str, str]] = []
    headers = {"last-event-id": after} if after else {}
    event = ""
    async with system.api.stream("GET", f"/api/v1/runs/{run}/events", headers=headers) as stream:
        async for line in stream.aiter_lines():
            name, _, value = line.partition(":")
            if name == "event":
                event = value.strip()
                heard.append((event, ""))
            if name == "id":
                heard[-1] = (event, value.strip())
            if not line and event == until:
                break
    return heard


async def test_runs_go_on_from_a_dump_that_was_taken_while_they_flowed(tmp_path: Path) -> None:
    flag, dump = tmp_path / "go-on", tmp_path / "opsconductor.dump"
    async with (
        a_server() as old_server,
        a_server() as new_server,
        a_migrated(old_server),
        a_system(tmp_path, database_url=old_server, broker=EmbeddedBroker(tmp_path)) as system,
    ):
        await system.at_work(*[system.start(role) for role in ROLES])
        await system.sign_in()
        targets = await system.targets(3)
        short = await system.job({"type": "ssh.exec", "command": "echo done"}, targets=targets)
        finished = await system.run(short)
        assert await system.until_ended([finished]) == {"succeeded": 1}
        last_id = (await events(system, finished, until="run"))[-1][1]
        before = await system.outputs(finished)
        waits = f"echo begun; until [ -e {flag} ]; do sleep 0.1; done; echo ended"
        steps = [f'echo "$0" >>{system.ledger}; {waits}', "echo later"]
        job = await system.job(*[{"type": "ssh.exec", "command": step} for step in steps], targets=targets)
        flowing = await system.run(job)
        await system.running(flowing, 3)
        system.end("orchestrator")
        waiting = await system.run(short)

        postgres_client.run(old_server, *DUMP, f"--file={dump}")
        system.end_workers()
        postgres_client.run(new_server, *RESTORE, "--dbname=opsconductor", str(dump))
        system.use_database(new_server)
        epoch = await system.value("SELECT epoch FROM stream_epoch")
        await opsconductor_migrate(new_server, system, tmp_path / "migrate.log")
        assert await system.value("SELECT epoch FROM stream_epoch") == epoch + 1
        await system.at_work(*[system.start(role) for role in ROLES])
        await system.sign_in()
        flag.touch()

        assert await system.until_ended([flowing, waiting]) == {"succeeded": 2}
        assert await system.starts_of(flowing) == 3, "each command was found again, none begun anew"
        assert sorted((await system.outputs(flowing)).values()) == ["begun\nended\n"] * 3 + ["later\n"] * 3
        assert await system.outputs(finished) == before
        heard = await events(system, finished, after=last_id, until="run")
        assert heard[0][0] == "reset", "a browser from before has to begin anew"
        assert heard[-1][1].split(".")[0] == str(epoch + 1)
