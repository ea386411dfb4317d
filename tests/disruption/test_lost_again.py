"""Steps whose workers keep dying, or whose command cannot be found again."""

import asyncio
import shutil
from uuid import UUID

import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.eventually import eventually
from tests.support.processes import Child
from tests.support.system import SECRET, USER, System
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]


async def lose(system: System, executor: Child, run: UUID) -> None:
    """Kill the executor and remove what its command left on the target."""
    executor.kill()
    [task] = await system.rows("SELECT id FROM tasks WHERE run_id = $1", run)
    for folder in (system.folder / "home" / ".opsconductor").glob(f"{task['id']}.*"):
        shutil.rmtree(folder)


async def test_a_command_that_cannot_be_found_again_is_unknown(system: System) -> None:
    executor = await system.started("executor")
    targets = await system.targets(1)
    step = {"type": "ssh.exec", "command": system.script(rounds=60, pause=1)}
    run = await system.run(await system.job(step, targets=targets))
    await system.running(run, 1)
    await lose(system, executor, run)
    await system.started("executor")
    assert await system.until_ended([run]) == {"unknown": 1}
    assert await system.task_states(run) == {"unknown": 1}
    await assert_all_is_well(system)


@pytest.mark.provokes("worker_lost")
async def test_a_repeatable_step_gets_a_bounded_number_of_attempts(system: System) -> None:
    targets = await system.targets(1)
    command = system.script(rounds=60, pause=1)
    step = {"type": "ssh.exec", "command": command, "delivery": "at_least_once", "retry": {"backoff": 0}}
    run = await system.run(await system.job(step, targets=targets))
    executor = await system.started("executor")
    for attempt in (1, 2, 3):

        async def started(number: int = attempt) -> bool:
            return await system.starts_of(run) == number  # what the target saw

        await eventually(started, every=0.05)
        await lose(system, executor, run)
        executor = await system.started("executor")
    assert await system.until_ended([run]) == {"failed": 1}
    [task] = await system.rows("SELECT id, attempt, error FROM tasks WHERE run_id = $1", run)
    assert task["attempt"] == 3
    assert "worker_lost" in task["error"]
    system.repeatable.add(task["id"])
    await assert_all_is_well(system)


async def test_a_step_that_keeps_killing_its_workers_comes_to_an_end(system: System) -> None:
    executor = await system.started("executor")
    targets = await system.targets(1)
    step = {"type": "ssh.exec", "command": system.script(rounds=60, pause=1)}
    run = await system.run(await system.job(step, targets=targets))
    await system.running(run, 1)
    await system.rows("UPDATE attempts SET losses = 5 WHERE run_id = $1", run)
    executor.kill()
    await system.started("executor")
    assert await system.until_ended([run]) == {"unknown": 1}
    await assert_all_is_well(system)


async def test_a_wait_takes_no_longer_because_its_workers_die(system: System) -> None:
    executor = await system.started("executor")
    run = await system.run(await system.job({"type": "wait", "seconds": 9}))
    asked = asyncio.get_running_loop().time()
    for _ in range(2):

        async def held(pid: int = executor.pid) -> bool:
            return bool(
                await system.value(
                    """SELECT count(*) FROM tasks AS t JOIN workers AS w ON w.id = t.worker_id
                        WHERE t.run_id = $1 AND t.state = 'running' AND w.pid = $2""",
                    run,
                    pid,
                )
            )

        await eventually(held, every=0.05)
        executor.kill()
        executor = await system.started("executor")
    assert await system.until_ended([run]) == {"succeeded": 1}
    [attempt] = await system.rows(
        "SELECT number, losses, EXTRACT(EPOCH FROM ended_at - started_at)::float8 AS seconds"
        "  FROM attempts WHERE run_id = $1",
        run,
    )
    assert (attempt["number"], attempt["losses"]) == (1, 2)
    assert 9 <= attempt["seconds"] < asyncio.get_running_loop().time() - asked + 1
    await assert_all_is_well(system)


async def test_a_windows_command_runs_once_though_its_executor_is_killed(system: System) -> None:
    host = WindowsHost("win-01", USER, SECRET)
    await host.start()
    try:
        made = await system.api.post(
            "/api/v1/credentials",
            json={"name": "win-01", "type": "winrm", "username": USER, "password": SECRET},
        )
        settings = {"scheme": "http", "port": host.http_port, "transport": "ntlm"}
        target = {"name": "win-01", "os": "windows", "hostname": "127.0.0.1", "winrm": settings}
        answer = await system.api.post("/api/v1/targets", json=target | {"credential_id": made.json()["id"]})
        assert answer.status_code == 201, answer.text
        executor = await system.started("executor")
        command = '"begin"; Start-Sleep -Seconds 12; "end"'
        step = {"type": "winrm.exec", "command": command, "target": "win-01"}
        run = await system.run(await system.job(step))
        await eventually(lambda: host.journal)
        executor.kill()
        await system.started("executor")
        assert await system.until_ended([run]) == {"succeeded": 1}, host.journal
        assert len(host.journal) == 1
        [step_end] = (await system.api.get(f"/api/v1/runs/{run}/steps")).json()["items"]
        # What a dead worker's open Receive got is lost over WinRM, and must be marked then.
        assert "end" in step_end["stdout"] or step_end["output_incomplete"], step_end
        await assert_all_is_well(system)
    finally:
        await host.stop()
