"""First logins with a credential: one at a time over all executors, and good for all of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest

from infra.ids import uuid7
from infra.process import Process
from tests.support.engine import Engine
from workers import leases
from workers.executor import holds
from workers.executor.holds import Rejected
from workers.executor.lease import Lease
from workers.executor.trials import SharedTrials


class _Open:
    async def run(self, work: Callable[[], Any]) -> Any:
        return await work()


@dataclass
class _Parts:
    sessions: Any
    gate: _Open


@dataclass
class _Held:
    worker_id: UUID


@dataclass
class Fleet:
    engine: Engine
    credential: UUID
    targets: list[UUID]

    async def executor(self) -> SharedTrials:
        """One more, with a lease of its own."""
        held = _Held(await self.engine.worker())
        parts = _Parts(self.engine.sessions, _Open())
        return SharedTrials(cast("Process", parts), cast("Lease", held))

    def key(self, target: int = 0, version: int = 1) -> tuple[UUID, UUID, int]:
        return self.targets[target], self.credential, version


@pytest.fixture
async def fleet(engine: Engine) -> Fleet:
    await engine.targets(3)
    credential = uuid7()
    await engine.execute(
        """INSERT INTO credentials (id, project_id, name, type, username, current_version, created_by)
           SELECT :id, id, 'new', 'ssh', 'ops', 1, 'test' FROM projects LIMIT 1""",
        id=credential,
    )
    rows = await engine.rows("SELECT id FROM targets ORDER BY name")
    return Fleet(engine, credential, [row.id for row in rows])


async def test_one_executor_tries_at_a_time_and_what_was_accepted_is_good_for_all(fleet: Fleet) -> None:
    one, two = await fleet.executor(), await fleet.executor()
    assert await one.take(fleet.key(), patient=True) == "ours"
    assert await two.take(fleet.key(), patient=False) == "busy"
    await two.end(fleet.key(), accepted=False)
    assert await two.take(fleet.key(), patient=False) == "busy", "it is not the other's to give away"

    await one.end(fleet.key(), accepted=True)

    assert await two.take(fleet.key(), patient=True) == "good"
    assert await two.take(fleet.key(version=2), patient=True) == "ours", "another version is unproven"


async def test_a_version_that_nobody_accepted_is_tried_on_one_target_at_a_time(fleet: Fleet) -> None:
    one, two = await fleet.executor(), await fleet.executor()
    assert await one.take(fleet.key(0), patient=True) == "ours"
    assert await two.take(fleet.key(1), patient=True) == "busy"
    assert await two.take(fleet.key(1), patient=False) == "ours", "a silent target holds nobody up for long"
    await two.end(fleet.key(1), accepted=False)
    await one.end(fleet.key(0), accepted=True)

    assert await one.take(fleet.key(1), patient=True) == "ours"
    assert await two.take(fleet.key(2), patient=True) == "ours", "it is known to be good somewhere"


async def test_logins_that_begin_at_once_are_answered_as_one_after_the_other(fleet: Fleet) -> None:
    one = await fleet.executor()
    keys = [fleet.key(number) for number in range(3)]

    first = await asyncio.gather(*(one.take(key, patient=True) for key in keys))
    assert sorted(first) == ["busy", "busy", "ours"]
    await asyncio.gather(
        *(one.end(key, accepted=answer == "ours") for key, answer in zip(keys, first, strict=True))
    )

    good = [{"ours": "good", "busy": "ours"}[answer] for answer in first]
    assert await asyncio.gather(*(one.take(key, patient=True) for key in keys)) == good


async def test_a_try_whose_answer_was_lost_is_known_again_and_one_that_nobody_waits_for_is_given_up(
    fleet: Fleet,
) -> None:
    one, two = await fleet.executor(), await fleet.executor()
    assert await one.take(fleet.key(), patient=True) == "ours"
    assert await one.take(fleet.key(), patient=True) == "ours"
    await one.end(fleet.key(), accepted=False)

    called_off = asyncio.create_task(one.take(fleet.key(), patient=True))
    await asyncio.sleep(0)
    called_off.cancel()
    await one.end(fleet.key(), accepted=False)

    assert await two.take(fleet.key(), patient=True) == "ours"


async def test_the_trial_of_a_lost_executor_is_anybodys(fleet: Fleet) -> None:
    lost, other = await fleet.executor(), await fleet.executor()
    assert await lost.take(fleet.key(), patient=True) == "ours"
    worker = await fleet.engine.scalar("SELECT worker_id FROM first_logins")

    async with fleet.engine.open_uow() as uow:
        await leases.release(uow, worker, reason="lease expired", lost=True)

    assert await other.take(fleet.key(), patient=True) == "ours"
    await lost.end(fleet.key(), accepted=False)
    assert await (await fleet.executor()).take(fleet.key(), patient=True) == "busy"


async def test_a_rejection_takes_the_proof_away(fleet: Fleet) -> None:
    one, two = await fleet.executor(), await fleet.executor()
    for target in (0, 1):
        await one.take(fleet.key(target), patient=True)
        await one.end(fleet.key(target), accepted=True)
    rejected = Rejected(
        credential_id=fleet.credential,
        version=1,
        target_id=fleet.targets[0],
        run_id=None,
        reason="no",
    )
    async with fleet.engine.sessions.begin() as session:
        await holds.put_on_hold(session, [rejected])

    assert await two.take(fleet.key(0), patient=True) == "ours"
    assert await two.take(fleet.key(1), patient=True) == "good"
