"""Files that go through the whole system: in over the API, to a machine, back, and on."""

import asyncio
import hashlib
import os
from typing import Any
from uuid import UUID

import pytest

from tests.support.eventually import eventually
from tests.support.system import System
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
