"""Executors killed again and again under running commands: each command ran once and its task succeeded."""

import asyncio
import contextlib
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from infra.sandbox.windows import WindowsHost
from tests.support.eventually import eventually
from tests.support.nursery import Nursery
from tests.support.system import SECRET, USER, System
from tests.support.watching import assert_all_is_well
from workers.executor.running import LOSSES_AT_MOST

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

KILLS = int(os.environ.get("OPS_TEST_KILLS", "50"))
EXECUTORS = 5
QUICK_LEASE = {"OPS_LEASE_SECONDS": "3", "OPS_HEARTBEAT_SECONDS": "0.6", "OPS_SLOTS": "12"}
"""Quick, but kept by an executor on a busy machine: a lease that runs out by itself counts as a loss, too."""
LINES = 12
WINDOWS = f'1..{LINES} | ForEach-Object {{ "line $_"; Start-Sleep -Milliseconds 300 }}  # '
PRINTED = "".join(f"line {number}\r\n" for number in range(1, LINES + 1))


@pytest_asyncio.fixture(loop_scope="session")
async def windows() -> AsyncIterator[WindowsHost]:
    """In this process, so that what ran on it can be counted."""
    host = WindowsHost("win-kills", USER, SECRET)
    await host.start()
    yield host
    await host.stop()


async def under_way(system: System) -> dict[int, int]:
    """By process id of an executor that has commands running: how often the most unlucky of them was lost."""
    rows = await system.rows(
        """SELECT w.pid, max(a.losses) AS losses
             FROM tasks AS t JOIN workers AS w ON w.id = t.worker_id
             JOIN attempts AS a ON a.task_id = t.id AND a.number = t.attempt
            WHERE t.state = 'running' AND a.handle IS NOT NULL GROUP BY w.pid"""
    )
    return {row["pid"]: row["losses"] for row in rows}


class Attack:
    """Keeps commands running and kills the executors that carry them."""

    def __init__(self, system: System, nursery: Nursery, chance: random.Random) -> None:
        self.system, self.nursery, self.chance = system, nursery, chance
        self.executors = {nursery.worker("executor") for _ in range(EXECUTORS)}
        self.runs: list[UUID] = []
        self.kills = 0

    async def go_on(self, job: str) -> None:
        """Runs of the job, one after the other, under kills at random moments until there were enough."""
        while self.kills < KILLS:
            statuses = await self.system.statuses(self.runs[-1:])
            if not self.runs or not statuses.keys() & {"requested", "running"}:
                self.runs.append(await self.system.run(job))
            await asyncio.sleep(self.chance.uniform(0.1, 1.2))
            await self._kill_one()

    async def _kill_one(self) -> None:
        """Nobody whose command was lost so often that once more would be given up, as is promised."""
        busy = await under_way(self.system)
        chosen = sorted(pid for pid in self.executors & busy.keys() if busy[pid] < LOSSES_AT_MOST - 1)
        if chosen:
            victim = self.chance.choice(chosen)
            self.nursery.kill(victim)
            self.executors.remove(victim)
            self.executors.add(self.nursery.worker("executor"))
            self.kills += 1


async def test_fifty_kills_in_mid_command_lose_nothing_and_repeat_nothing(
    system: System, windows: WindowsHost
) -> None:
    seed = int(os.environ.get("OPS_TEST_SEED", random.randrange(10**6)))
    sys.stdout.write(f"seed {seed}\n")
    nursery = Nursery(system.environment | QUICK_LEASE, system.folder)
    try:
        attack = Attack(system, nursery, random.Random(seed))
        linux = await system.targets(6)
        win = await system.windows_target("win-kills", port=windows.http_port, max_concurrent=8)
        ssh = {
            "type": "ssh.exec",
            "command": system.script(rounds=5, pause=0.8),
            "needs": [],
            "target": linux,
        }
        over_winrm = [
            {"type": "winrm.exec", "command": f"{WINDOWS}{number}", "needs": [], "target": win}
            for number in range(6)
        ]
        job = await system.job(ssh, ssh, *over_winrm)
        await attack.go_on(job)
        ended = await system.until_ended(attack.runs)
        left = await left_behind(system, windows, attack.runs)
    finally:
        nursery.close()

    assert ended == {"succeeded": len(attack.runs)}, f"seed {seed}: {await what_failed(system, attack.runs)}"
    assert await system.starts_of(*attack.runs) == 12 * len(attack.runs)
    ran = Counter(entry.script for entry in windows.journal)
    assert ran == {step["command"]: len(attack.runs) for step in over_winrm}
    assert {entry.how for entry in windows.journal} == {"exit 0"}
    lost = await system.value("SELECT sum(losses) FROM attempts WHERE run_id = ANY($1)", attack.runs)
    assert lost >= KILLS
    await outputs_are_whole_or_marked(system, attack.runs)
    assert left == []
    await assert_all_is_well(system)


async def what_failed(system: System, runs: list[UUID]) -> list[str]:
    """Each task that did not succeed, why, and how often its worker was lost."""
    rows = await system.rows(
        """SELECT t.target_name, t.state, t.error->>'message' AS message, a.losses, a.reattached
             FROM tasks AS t JOIN attempts AS a ON a.task_id = t.id AND a.number = t.attempt
            WHERE t.run_id = ANY($1) AND t.state <> 'succeeded'""",
        runs,
    )
    return [" ".join(map(str, row)) for row in rows]


async def left_behind(system: System, windows: WindowsHost, runs: list[UUID]) -> list[str]:
    """Shells, folders and taken places that are still there once the executors had time to remove them all.

    An attempt is settled first and then removed from its host, by whoever finds it if need be.
    """
    rows = await system.rows("SELECT id FROM tasks WHERE run_id = ANY($1)", runs)
    tasks = {str(row["id"]) for row in rows}
    found: list[str] = []

    async def gone() -> bool:
        folders = (system.folder / "home").glob("**/.opsconductor/*")
        places = await system.rows("SELECT task_id FROM seats")
        found[:] = [
            *(f"shell {shell}" for shell in windows.shells),
            *(f"folder {path.name}" for path in folders if path.name.partition(".")[0] in tasks),
            *(f"place of {row['task_id']}" for row in places),
        ]
        return not found

    with contextlib.suppress(AssertionError):
        await eventually(gone, every=0.2)
    return found


async def outputs_are_whole_or_marked(system: System, runs: list[UUID]) -> None:
    """SSH loses nothing; over WinRM what was in flight may be missing, and that is said."""
    marked = {
        row["task_id"] for row in await system.rows("SELECT task_id FROM attempts WHERE output_incomplete")
    }
    windows = {
        row["id"]
        for row in await system.rows(
            "SELECT id FROM tasks WHERE target_name = 'win-kills' AND run_id = ANY($1)", runs
        )
    }
    assert marked <= windows
    for run in runs:
        for task, text in (await system.outputs(run)).items():
            if task not in windows:
                assert text == system.printed(rounds=5)
            elif task not in marked:
                assert text == PRINTED
