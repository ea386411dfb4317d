"""PostgreSQL is stopped at once and started again while commands run."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
import pytest

from contracts.messages import COMMANDS
from infra.database import connect
from infra.embedded.postgres.server import EmbeddedPostgres
from infra.migrations.run import migrate
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.ports import free_port
from tests.support.system import System, a_moment, a_system
from tests.support.watching import assert_all_is_well

pytestmark = [pytest.mark.disruption, pytest.mark.timeout(400)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """As root the server runs as somebody else, who has to get in."""
    folder = Path(tempfile.mkdtemp(prefix="ops-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_no_run_is_lost_when_the_database_is_restarted(folder: Path, tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(folder / "postgres", free_port())
    try:
        url = await postgres.start()
        engine = connect(url, name="tests")
        await migrate(engine)
        await engine.dispose()
        async with a_system(tmp_path, database_url=url, broker=EmbeddedBroker(tmp_path)) as system:
            await restarted_in_mid_run(system, postgres)
    finally:
        await postgres.stop()


async def restarted_in_mid_run(system: System, postgres: EmbeddedPostgres) -> None:
    roles = ("gateway", "orchestrator", "caretaker", "executor", "executor")
    children = [system.start(role) for role in roles]
    await system.at_work(*children)
    await system.sign_in()
    targets = await system.targets(5)
    step = {"type": "ssh.exec", "command": system.script(rounds=6, pause=1), "needs": []}
    jobs = [
        await system.job(*[step] * 4, targets=targets),
        await system.job(*[{"type": "wait", "seconds": 1}] * 5),
    ]
    long = await system.run(jobs[0])
    for _ in range(3):
        await system.run(jobs[1])
    await system.running(long, 10)
    for _ in range(2):
        await a_moment(0.5, 2.0)
        postgres.kill()
        await postgres.wait()
        await ring_for(system, long)
        await a_moment(0.5, 1.5)
        await postgres.start()
    assert await system.until_ended(system.accepted) == {"succeeded": 4}
    assert await system.starts_of(long) == 20
    assert set((await system.outputs(long)).values()) == {system.printed(rounds=6)}
    assert [child.name for child in children if not child.alive] == []
    await assert_all_is_well(system)


async def ring_for(system: System, run_id: UUID) -> None:
    """Messages about the run, so that handlers meet the outage."""
    async with await aio_pika.connect(system.broker.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        for wire_type in ("runs.start-run.v1", "runs.advance-run.v1") * 5:
            message = aio_pika.Message(
                f'{{"run_id": "{run_id}"}}'.encode(),
                type=wire_type,
                message_id=str(uuid4()),
                correlation_id=str(uuid4()),
            )
            await exchange.publish(message, wire_type)
