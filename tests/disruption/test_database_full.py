"""The database's disk is full while commands run, and has room again: nothing is rejected or lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from tests.disruption.test_database_lost import ring_for
from tests.support.database import fresh_database
from tests.support.eventually import eventually
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.system import System, a_system
from tests.support.watching import assert_all_is_well

pytestmark = [pytest.mark.disruption, pytest.mark.timeout(400)]

TABLES = ("runs", "tasks", "attempts", "run_events", "output_chunks", "outbox", "dead_letters", "audit_log")


@asynccontextmanager
async def a_full_disk(system: System) -> AsyncIterator[None]:
    """Whatever would take room is refused as PostgreSQL refuses it; reading goes on."""
    there = await system.rows("SELECT relname FROM pg_class WHERE relname = ANY($1)", list(TABLES))
    await system.rows(
        """CREATE FUNCTION watch.no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
           END $$"""
    )
    for table in there:
        await system.rows(
            f"""CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table["relname"]}
                FOR EACH STATEMENT EXECUTE FUNCTION watch.no_room()"""
        )
    yield
    await system.rows("DROP FUNCTION watch.no_room() CASCADE")


async def taken(system: System, job: str) -> UUID:
    """The run that is accepted once the gateway has found out that there is room again."""

    async def accepted() -> UUID | None:
        answer = await system.post(f"jobs/{job}/run")
        return UUID(answer.json()["id"]) if answer.status_code == 202 else None

    run = await eventually(accepted)
    system.accepted.add(run)
    return run


async def test_a_full_disk_is_waited_out_and_no_message_is_rejected_for_it(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    async with (
        fresh_database() as url,
        a_system(tmp_path, database_url=url, broker=EmbeddedBroker(tmp_path)) as system,
    ):
        await system.at_work(
            *[system.start(role) for role in ("gateway", "orchestrator", "caretaker", "executor")]
        )
        await system.sign_in()
        targets = await system.targets(3)
        script = f"{system.script(rounds=4)}; echo >>{ended}"
        job = await system.job({"type": "ssh.exec", "command": script}, {"type": "wait", "seconds": 0.1},
                               targets=targets)  # fmt: skip
        run = await system.run(job)
        await system.running(run, 3)

        async with a_full_disk(system):
            refused = await system.post(f"jobs/{job}/run")
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable"), refused.text
            await ring_for(system, run)
            await eventually(lambda: ended.exists() and len(ended.read_text()) == 3)
            assert (await system.api.get(f"/api/v1/runs/{run}")).json()["status"] == "running"

        again = await taken(system, job)
        assert await system.until_ended([run, again]) == {"succeeded": 2}
        assert await system.starts_of(run) == 3, "each command was started once"
        printed = [output for output in (await system.outputs(run)).values() if output]
        assert printed == [system.printed(rounds=4)] * 3
        assert [child.name for child in system.children if not child.alive] == []
        await assert_all_is_well(system)
