"""Files that go through the whole system: in over the API, to a machine, back, and on."""

import asyncio
import hashlib
import os
from typing import Any
from uuid import UUID

import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.eventually import eventually
from tests.support.system import SECRET, USER, System
from tests.support.tcp_relay import TcpRelay
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]

PATH = r"C:\Temp\app.bin"


async def _steps(system: System, run: UUID) -> dict[str, Any]:
    answer = await system.api.get(f"/api/v1/runs/{run}/steps")
    assert answer.status_code == 200, answer.text
    return {item["step"]: item for item in answer.json()["items"]}


async def test_a_file_goes_to_a_machine_comes_back_and_goes_on_to_another_place(system: System) -> None:
    await system.started("executor")
    content = await asyncio.to_thread(os.urandom, 3_000_000)
    sha256 = hashlib.sha256(content).hexdigest()
    source = await system.artifact(content)
    copy = {"type": "winrm.copy"}
    job = await system.job(
        copy | {"name": "bring", "src": source, "dest": PATH},
        copy | {"name": "fetch", "direction": "download", "src": PATH},
        copy | {"name": "again", "src": "step:fetch", "dest": PATH},
        copy | {"name": "onward", "src": "step:fetch", "dest": r"C:\Temp\other.bin"},
        targets=[await system.windows_target()],
    )

    run = await system.run(job)

    assert await system.until_ended([run]) == {"succeeded": 1}
    steps = await _steps(system, run)
    assert [steps[name]["outputs"]["changed"] for name in ("bring", "again", "onward")] == [True, False, True]
    assert {step["outputs"]["sha256"] for step in steps.values()} == {sha256}
    brought = steps["fetch"]["outputs"]["artifact"]
    assert (await system.api.get(f"/api/v1/artifacts/{brought}")).content == content
    listed = (await system.api.get("/api/v1/artifacts", params={"run_id": str(run)})).json()["items"]
    assert [(item["id"], item["name"]) for item in listed] == [(brought, "app.bin")]


async def test_a_copy_whose_executor_is_killed_ends_whole(system: System) -> None:
    victim = await system.started("executor")
    content = await asyncio.to_thread(os.urandom, 120_000_000)
    source = await system.artifact(content)
    step = {"type": "winrm.copy", "src": source, "dest": r"C:\Temp\large.bin"}
    run = await system.run(await system.job(step, targets=[await system.windows_target()]))

    async def shown() -> bool:
        told = [item["progress"] for item in (await _steps(system, run)).values()]
        return any(progress and progress["done"] > 1_000_000 for progress in told)

    await eventually(shown, every=0.1)
    victim.kill()
    await system.started("executor")

    assert await system.until_ended([run]) == {"succeeded": 1}
    [item] = (await _steps(system, run)).values()
    assert item["progress"] is None
    assert item["outputs"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert item["outputs"]["changed"] is True
    assert await system.value("SELECT max(reattached) FROM attempts WHERE run_id = $1", run) == 1
    await assert_all_is_well(system)


async def test_half_a_copy_of_a_killed_executor_goes_when_its_run_is_cancelled(system: System) -> None:
    host = WindowsHost("win-halves", USER, SECRET)
    await host.start()
    try:
        victim = await system.started("executor")
        source = await system.artifact(await asyncio.to_thread(os.urandom, 120_000_000))
        target = await system.windows_target("win-halves", port=host.http_port)
        step = {"type": "winrm.copy", "src": source, "dest": r"C:\Temp\half.bin"}
        run = await system.run(await system.job(step, targets=[target]))
        await eventually(lambda: _halves(host))
        victim.kill()
        answer = await system.post(f"runs/{run}/cancel")
        assert answer.status_code == 202, answer.text
        await system.started("executor")

        assert await system.until_ended([run]) == {"cancelled": 1}

        async def gone() -> bool:
            rows = await system.value(
                "SELECT (SELECT count(*) FROM seats) + (SELECT count(*) FROM left_behind)"
            )
            return not rows and not _halves(host) and not host.shells

        await eventually(gone, every=0.2)
        assert host.disk.content(r"C:\Temp\half.bin") is None
        await assert_all_is_well(system)
    finally:
        await host.stop()


def _halves(host: WindowsHost) -> list[str]:
    return [path.name for path in host.disk.root.rglob("*.part")]


async def test_somebody_goes_back_to_a_host_that_was_away_until_nothing_is_left(system: System) -> None:
    """A folder as a killed executor leaves it, on a host behind a network that is down."""
    await system.started("executor")
    network = TcpRelay("127.0.0.1", system.ssh["port"])
    await network.start()
    target = await system.linux_target("comes-back", port=network.port)
    run = await system.run(await system.job({"type": "ssh.exec", "command": "true"}, targets=[target]))
    assert await system.until_ended([run]) == {"succeeded": 1}
    task = await system.value("SELECT id FROM tasks WHERE run_id = $1", run)
    folder = system.folder / "home" / ".opsconductor" / f"{task}.1.abcdef"
    folder.mkdir(parents=True)
    await network.stop()
    await system.rows(
        """INSERT INTO left_behind (task_id, attempt, target_id, account, protocol, tries, why, next_at)
           SELECT id, attempt, target_id, $2, 'ssh', 0, 'in this test', now() FROM tasks WHERE id = $1""",
        task,
        USER,
    )

    async def tried() -> bool:
        sql = "SELECT count(*) FROM left_behind WHERE tries = 1 AND why <> 'in this test'"
        return bool(await system.value(sql))

    await eventually(tried, every=0.1)
    assert folder.exists()
    assert not await system.value("SELECT count(*) FROM seats"), "who waits holds no session"
    await network.start()
    await system.rows("UPDATE left_behind SET next_at = now()")

    async def gone() -> bool:
        return not await system.value("SELECT count(*) FROM left_behind")

    await eventually(gone, every=0.1)
    assert not folder.exists()
    await network.stop()
    await assert_all_is_well(system)
