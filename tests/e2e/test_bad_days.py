"""Bad input and bad targets, through the whole running system: a clear end, never a hang, never a 500."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from tests.support.database import fresh_database
from tests.support.eventually import eventually
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.ports import free_port
from tests.support.system import USER, System, a_system

pytestmark = [pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]

MIB = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("bad-days")
    async with (
        fresh_database() as url,
        a_system(folder, database_url=url, broker=EmbeddedBroker(folder)) as system,
    ):
        children = [system.start("gateway"), system.start("orchestrator+executor+caretaker")]
        await system.at_work(*children)
        await system.sign_in()
        await system.targets(1)
        yield system


@pytest.fixture
def system(module_system: System) -> System:
    return module_system


async def make(system: System, path: str, body: Mapping[str, Any]) -> str:
    answer = await system.api.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def only_step(system: System, run_id: UUID) -> dict[str, Any]:
    answer = await system.api.get(f"/api/v1/runs/{run_id}/steps")
    assert answer.status_code == 200, answer.text
    [step] = answer.json()["items"]
    return dict(step)


async def end_of(system: System, step: Mapping[str, Any]) -> dict[str, Any]:
    """The one task of a job with this step, after its run has ended."""
    job_id = await system.job(step)
    run_id = await system.run(job_id)
    await system.until_ended([run_id])
    return await only_step(system, run_id)


def ssh(command: str, target: str = "host-0") -> dict[str, Any]:
    return {"type": "ssh.exec", "target": target, "command": command}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"name": "x", "steps": [{"type": "dance"}]}, "steps.0"),
        ({"name": "x", "steps": [ssh("true") | {"colour": "red"}]}, "steps.0.colour"),
        ({"name": "x", "steps": [ssh("echo {{ nobody }}")]}, "steps.0.command"),
        ({"name": "x", "steps": [ssh("true", "nowhere")]}, "steps.0.target"),
        ({"name": "x", "steps": []}, "steps"),
        ({"name": "x", "parameters": {"v": "1"}, "steps": [ssh("eval {{ v }}")]}, "steps.0.command"),
        ({"name": "x\0y", "steps": [ssh("true")]}, "name"),
    ],
)
async def test_a_job_that_cannot_work_is_refused_with_its_field(
    system: System, document: dict[str, Any], field: str
) -> None:
    jobs = await system.value("SELECT count(*) FROM jobs")

    answer = await system.api.post("/api/v1/jobs", json=document)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert any(problem["field"].startswith(field) for problem in answer.json()["errors"]), answer.text
    assert await system.value("SELECT count(*) FROM jobs") == jobs


@pytest.mark.parametrize(
    "body",
    [
        {"parameters": {"unknown": 1}},
        {"parameters": {"v": "a\0b"}},
        {"parameters": {"v": "x" * 70_000}},
        {"parameters": {"v": 7}},
        {"targets": ["nowhere"]},
    ],
)
async def test_a_run_request_that_cannot_work_is_refused_and_leaves_nothing(
    system: System, body: dict[str, Any]
) -> None:
    job_id = await system.job(
        {"type": "ssh.exec", "command": "echo {{ v }}"}, parameters={"v": "1"}, targets=["host-0"]
    )
    runs = await system.value("SELECT count(*) FROM runs")

    answer = await system.api.post(f"/api/v1/jobs/{job_id}/run", json=body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"], answer.text
    assert await system.value("SELECT count(*) FROM runs") == runs


async def test_a_body_of_ten_megabytes_is_refused(system: System) -> None:
    answer = await system.api.post(
        "/api/v1/jobs", content=b'{"name": "' + b"x" * 10 * MIB, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 413, answer.text
    assert answer.json()["code"] == "too_large"


async def test_a_wrong_password_is_told_as_such(system: System) -> None:
    credential = await make(
        system,
        "credentials",
        {"name": "wrong", "type": "ssh", "username": USER, "password": "not the password"},
    )
    await make(
        system,
        "targets",
        {"name": "wrong-password", "os": "linux", "hostname": "127.0.0.1"}
        | {"credential_id": credential, "ssh": system.ssh},
    )

    step = await end_of(system, ssh("true", "wrong-password"))

    assert (step["status"], step["error"]["code"]) == ("failed", "auth_rejected")
    assert "not the password" not in str(step)


async def target_like(system: System, name: str, **fields: Any) -> None:
    body: dict[str, Any] = {"name": name, "os": "linux", "hostname": "127.0.0.1"}
    credentials = (await system.api.get("/api/v1/credentials")).json()["items"]
    body |= {"credential_id": next(c["id"] for c in credentials if c["name"] == "demo")}
    await make(system, "targets", body | fields)


async def test_another_host_key_than_the_pinned_one_stops_everything(system: System) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHXVQ1rT3b0vY4v0l1hM0nP0V3S1x1y0QkG0h8m4h3vB"
    await target_like(system, "other-key", ssh=system.ssh | {"host_key": other})

    step = await end_of(system, ssh("true", "other-key"))

    assert (step["status"], step["error"]["code"]) == ("failed", "host_key_mismatch")


async def test_a_dead_host_is_unreachable(system: System) -> None:
    await target_like(system, "dead", ssh=system.ssh | {"port": free_port()})

    step = await end_of(system, ssh("true", "dead"))

    assert (step["status"], step["error"]["code"]) == ("failed", "unreachable")
    assert step["error"]["hint"]


async def test_a_port_that_is_not_winrm_is_told_as_such(system: System) -> None:
    credential = await make(
        system, "credentials", {"name": "win", "type": "winrm", "username": "u", "password": "p"}
    )
    await make(
        system,
        "targets",
        {"name": "not-winrm", "os": "windows", "hostname": "127.0.0.1", "credential_id": credential}
        | {"winrm": {"scheme": "http", "port": system.ssh["port"]}},
    )

    step = await end_of(
        system, {"type": "winrm.exec", "target": "not-winrm", "command": "hostname"} | {"timeoutSec": 40}
    )

    assert (step["status"], step["error"]["code"]) == ("failed", "not_winrm")


async def test_bytes_that_are_no_text_are_shown_and_stored(system: System) -> None:
    step = await end_of(system, ssh(r"printf 'a\377b\000c\n'"))

    assert step["status"] == "succeeded", step["error"]
    assert step["stdout"] == "a\ufffdb\u2400c\n"


async def test_a_gigabyte_of_output_is_bounded_and_the_step_still_ends(system: System) -> None:
    step = await end_of(system, ssh("head -c 1073741824 /dev/zero | tr '\\0' x; echo the end >&2"))

    assert step["status"] == "succeeded", step["error"]
    assert step["truncated"] or step["output_incomplete"]
    assert step["stderr"] == "the end\n"
    stored = await system.value("SELECT sum(octet_length(data)) FROM output_chunks")
    assert stored < 16 * MIB


async def test_five_hundred_runs_at_once_all_end(system: System) -> None:
    job_id = await system.job({"type": "wait", "seconds": 0})

    runs = await asyncio.gather(*(system.run(job_id) for _ in range(500)))

    assert await system.until_ended(runs) == {"succeeded": 500}


async def test_a_secret_parameter_reaches_the_script_and_nothing_else(system: System, tmp_path: Path) -> None:
    secret, seen = "s3cr$t'quote\"-and `more`", tmp_path / "seen"
    job_id = await system.job(
        {
            "type": "ssh.exec",
            "target": "host-0",
            "command": f"printf %s {{{{ pw }}}} >{seen}; echo it is {{{{ pw }}}}",
        },
        parameters={"pw": {"type": "secret"}},
    )
    answer = await system.api.post(f"/api/v1/jobs/{job_id}/run", json={"parameters": {"pw": secret}})
    run_id = UUID(answer.json()["id"])
    await system.until_ended([run_id])

    assert seen.read_text() == secret
    assert (await only_step(system, run_id))["stdout"] == "it is ***\n"
    assert secret not in (await system.api.get(f"/api/v1/runs/{run_id}")).text
    for child in system.children:
        assert secret not in child.log.read_text()


async def test_a_pool_that_nobody_serves_is_named_as_what_a_task_waits_for(system: System) -> None:
    await target_like(system, "far-away", pool="closed-zone", ssh=system.ssh)
    run_id = await system.run(await system.job(ssh("true", "far-away")))

    async def waits() -> bool:
        step = (await system.api.get(f"/api/v1/runs/{run_id}/steps")).json()["items"]
        return bool(step) and step[0]["waiting_for"] == (
            "an executor that serves pool closed-zone: none is running"
        )

    await eventually(waits)
    await system.post(f"runs/{run_id}/cancel")
    assert await system.until_ended([run_id]) == {"cancelled": 1}
