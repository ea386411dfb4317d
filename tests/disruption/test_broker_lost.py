"""The broker goes away, loses everything, or delivers strangely: the database is the truth."""

import asyncio
import random
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import aio_pika
import pytest
import pytest_asyncio

from contracts import topology
from contracts.messages import COMMANDS
from infra.broker import declare_topology
from tests.support.database import fresh_database
from tests.support.eventually import eventually
from tests.support.killable_brokers import Broker, EmbeddedBroker, PrivateRabbit
from tests.support.system import System, a_system
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]

QUEUES = [queue.name for queue in topology.durable_queues()]
ROLES = ("gateway", "orchestrator", "caretaker", "executor", "executor")


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.broker)],
)
async def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """With every role at work and two executors."""
    if request.param == "rabbitmq" and not PrivateRabbit.possible():
        pytest.skip("no RabbitMQ is installed")
    folder = tmp_path_factory.mktemp("system")
    broker: Broker = PrivateRabbit(folder) if request.param == "rabbitmq" else EmbeddedBroker(folder)
    async with fresh_database() as url, a_system(folder, database_url=url, broker=broker) as system:
        await declare_topology(broker.url, queue_type="quorum", pools=["default"])
        await system.at_work(*[system.start(role) for role in ROLES])
        await system.sign_in()
        yield system


async def a_long_job(system: System) -> str:
    """Three steps one after another, so that the broker is needed again and again."""
    targets = await system.targets(3)
    step = {"type": "ssh.exec", "command": system.script(rounds=2, pause=0.5)}
    return await system.job(step, {"type": "wait", "seconds": 0.5}, step, targets=targets)


async def test_runs_are_accepted_and_end_while_the_broker_is_killed(system: System) -> None:
    job = await a_long_job(system)
    runs = [await system.run(job)]
    system.broker.kill()
    runs += [await system.run(job) for _ in range(3)]

    async def one_ended() -> bool:
        return (await system.statuses(runs))["succeeded"] > 0

    await eventually(one_ended, every=0.2)  # slower, not stopped
    await system.broker.start()
    runs.append(await system.run(job))
    assert await system.until_ended(runs) == {"succeeded": 5}
    assert await system.starts_of(*runs) == 5 * 6
    await assert_all_is_well(system)


async def test_runs_end_when_every_queue_is_emptied_and_then_deleted(system: System) -> None:
    job = await a_long_job(system)
    runs = []
    for forget in ("purge", "delete"):
        runs += [await system.run(job) for _ in range(3)]
        async with await aio_pika.connect(system.broker.url) as connection:
            channel = await connection.channel()
            for name in QUEUES:
                if forget == "purge":
                    await (await channel.get_queue(name, ensure=False)).purge()
                else:
                    await channel.queue_delete(name)
    assert await system.until_ended(runs) == {"succeeded": 6}

    async def consumed_again() -> bool:
        async with await aio_pika.connect(system.broker.url) as connection:
            channel = await connection.channel()
            counts = {}
            for name in QUEUES:
                try:
                    queue = await channel.declare_queue(name, passive=True)
                except aio_pika.exceptions.ChannelNotFoundEntity:
                    return False
                counts[name] = queue.declaration_result.consumer_count
        return counts == {name: 2 if name.startswith("executor") else 1 for name in QUEUES}

    await eventually(consumed_again, every=0.5)
    await assert_all_is_well(system)


async def test_copies_of_messages_in_any_order_start_nothing_twice(system: System) -> None:
    job = await a_long_job(system)
    runs = [await system.run(job) for _ in range(3)]
    bodies: list[tuple[str, str]] = []

    async def all_planned() -> bool:
        return bool(
            await system.value("SELECT count(DISTINCT run_id) = 3 FROM tasks WHERE run_id = ANY($1)", runs)
        )

    await eventually(all_planned)
    for run in runs:
        ids = [str(row["id"]) for row in await system.rows("SELECT id FROM tasks WHERE run_id = $1", run)]
        bodies.append(("runs.start-run.v1", f'{{"run_id": "{run}"}}'))
        bodies.append(("runs.advance-run.v1", f'{{"run_id": "{run}"}}'))
        listed = ", ".join(f'"{id_}"' for id_ in ids)
        bodies.append(
            ("runs.execute-tasks.v1", f'{{"run_id": "{run}", "pool": "default", "task_ids": [{listed}]}}')
        )
    async with await aio_pika.connect(system.broker.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        copies = bodies * 40
        random.shuffle(copies)
        for wire_type, body in copies:
            pool = ".default" if "execute" in wire_type else ""
            await exchange.publish(a_message(wire_type, body.encode()), wire_type + pool)
            await asyncio.sleep(0.01)
    assert await system.until_ended(runs) == {"succeeded": 3}
    assert await system.starts_of(*runs) == 3 * 6
    await assert_all_is_well(system)


def a_message(wire_type: str, body: bytes) -> aio_pika.Message:
    return aio_pika.Message(
        body, type=wire_type, message_id=str(uuid4()), correlation_id=str(uuid4()), headers={}
    )


async def test_what_cannot_be_read_is_kept_and_holds_nothing_up(system: System) -> None:
    job = await a_long_job(system)
    keys = {
        "orchestrator.start-run": "runs.start-run.v1",
        "orchestrator.advance-run": "runs.advance-run.v1",
        "executor.execute-tasks.default": "runs.execute-tasks.v1.default",
    }
    async with await aio_pika.connect(system.broker.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        for key in keys.values():
            await exchange.publish(a_message(key, b"{ this is no JSON \xff\x00"), key)
            await exchange.publish(a_message("unheard.of.v9", b'{"any": "thing"}'), key)
    run = await system.run(job)
    assert await system.until_ended([run]) == {"succeeded": 1}

    async def kept() -> bool:
        letters = await system.rows("SELECT queue, body FROM dead_letters")
        return sorted(row["queue"] for row in letters) == sorted([*keys, *keys])

    await eventually(kept, every=0.1)
    await assert_all_is_well(system, dead_letters=6)
    for letter in await system.rows("SELECT id FROM dead_letters"):
        answer = await system.discard(letter["id"])
        assert answer.status_code == 200, answer.text


async def test_a_run_nobody_can_plan_is_parked_until_a_person_decides(system: System) -> None:
    change = """
        UPDATE job_versions SET definition = jsonb_set(definition, '{steps,0,type}', to_jsonb($2::text))
         WHERE job_id = $1"""
    jobs = [await system.job({"type": "wait", "seconds": 0}) for _ in range(2)]
    good = await system.job({"type": "wait", "seconds": 0})
    runs = []
    for job in jobs:
        first = await system.run(job)  # the gateway has read this version and keeps it
        await system.until_ended([first])
        await system.rows(change, UUID(job), "teleport")
        system.the("orchestrator").kill()
        system.start("orchestrator")
        runs.append(await system.run(job))

    async def parked() -> bool:
        return bool(await system.value("SELECT count(*) = 2 FROM runs WHERE parked_by IS NOT NULL"))

    await eventually(parked, every=0.1)
    await system.run(good)
    await system.until_ended(system.accepted - set(runs))
    letters = await system.rows("SELECT * FROM dead_letters WHERE status = 'open' ORDER BY id")
    assert [letter["subject_id"] for letter in letters] == runs
    assert "teleport" in letters[0]["last_error"]

    answer = await system.discard(letters[0]["id"])
    assert answer.status_code == 200, answer.text
    await system.rows(change, UUID(jobs[1]), "wait")
    answer = await system.post(f"dlq/{letters[1]['id']}/replay")
    assert answer.status_code == 200, answer.text
    assert await system.until_ended(runs) == {"failed": 1, "succeeded": 1}
    await assert_all_is_well(system)
