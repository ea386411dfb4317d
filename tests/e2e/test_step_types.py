"""Every step type together, through the whole running system: what one brings, the next one uses."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import orjson
import pytest
import pytest_asyncio

from contracts.jobs.steps import STEP_TYPES
from tests.support.database import fresh_database
from tests.support.http_server import Asked, HttpServer, Reply, http_server
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.ports import free_port
from tests.support.ssh import Reachable, ordinary_user, real_sshd, sshd_is_installed
from tests.support.system import System, a_system

pytestmark = [pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]

TOOL = b'#!/bin/sh\nprintf \'release %s\\nby %s\\n\' "$1" "$OPERATOR"\n'
RELEASE = "4.2 'beta' & \"more\" \u00fc"
ON_WINDOWS = r"C:\Temp\report.txt"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("step-types")
    async with (
        fresh_database() as url,
        a_system(folder, database_url=url, broker=EmbeddedBroker(folder)) as system,
    ):
        children = [system.start("gateway"), system.start("orchestrator+executor+caretaker")]
        await system.at_work(*children)
        await system.sign_in()
        await system.targets(1)
        await system.windows_target()
        yield system


@pytest.fixture
def system(module_system: System) -> System:
    return module_system


@pytest_asyncio.fixture(loop_scope="module")
async def service() -> AsyncIterator[HttpServer]:
    """Accepts a release and says under which number."""

    async def answer(asked: Asked) -> Reply:
        told = orjson.loads(asked.body)
        content = orjson.dumps({"state": "accepted", "number": 17, "release": told["release"]})
        return Reply(201, content, {"content-type": "application/json"})

    async with http_server(answer) as server:
        yield server


async def run_of(system: System, *steps: Mapping[str, Any], **fields: Any) -> tuple[UUID, dict[str, Any]]:
    """A run of a job of these steps after its end, and its tasks by step, or `step@target`."""
    run_id = await system.run(await system.job(*steps, **fields))
    await system.until_ended([run_id])
    answer = await system.api.get(f"/api/v1/runs/{run_id}/steps", params={"limit": 200})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    names = [item["step"] for item in items]
    named = {
        item["step"] if names.count(item["step"]) == 1 else f"{item['step']}@{item['target']}": item
        for item in items
    }
    return run_id, named


async def target_named(system: System, name: str) -> dict[str, Any]:
    answer = await system.api.get("/api/v1/targets", params={"query": f"name:{name}"})
    [found] = answer.json()["items"]
    return dict(found)


def one_of_each(system: System, tool: str, service: HttpServer) -> list[dict[str, Any]]:
    """Steps that use one another's results, on both hosts and beside them."""
    home = system.folder / "home"
    host, win = {"target": "host-0"}, {"target": "win"}
    return [
        {"name": "look", "type": "facts"} | host,
        {"name": "look-too", "type": "facts"} | win,
        {"name": "bring", "type": "ssh.copy", "src": tool, "dest": f"{home}/tool.sh", "mode": "0755"} | host,
        {"name": "try", "type": "ssh.script", "src": tool, "arguments": ["{{ release }}"]}
        | {"env": {"OPERATOR": "{{ release }}"}}
        | host,
        {"name": "write", "type": "ssh.exec", "env": {"OPERATOR": "me"}}
        | {"command": f"{home}/tool.sh {{{{ release }}}} >{home}/report.txt"}
        | host,
        {"name": "fetch", "type": "ssh.copy", "direction": "download", "src": f"{home}/report.txt"} | host,
        {"name": "hand-on", "type": "winrm.copy", "src": "step:fetch", "dest": ON_WINDOWS} | win,
        {"name": "read", "type": "winrm.exec", "command": f"Get-Content -Path {ON_WINDOWS}"} | win,
        {"name": "tell", "type": "http.request", "method": "POST", "url": f"{service.url}/releases"}
        | {"body": {"release": "{{ release }}"}}
        | {"assert": {"status": 201, "json": [{"path": "$.release", "equals": "{{ release }}"}]}}
        | {"outputs": {"number": "$.number"}},
        {"name": "open", "type": "wait.port", "host": "127.0.0.1", "port": service.port},
        {"name": "pause", "type": "wait", "seconds": 0},
        {"name": "anew", "type": "wait.reboot", "intervalSec": 0.2} | win,
    ]


async def test_every_step_type_works_on_what_the_steps_before_it_brought(
    system: System, service: HttpServer
) -> None:
    tool = await system.artifact(TOOL)
    steps = one_of_each(system, tool, service)
    every = {name for kind in STEP_TYPES for name in get_args(kind.model_fields["type"].annotation)}
    assert {step["type"] for step in steps} == every

    run_id, tasks = await run_of(system, *steps, parameters={"release": RELEASE})

    assert {name: (task["status"], task["error"]) for name, task in tasks.items()} == {
        step["name"]: ("succeeded", None) for step in steps
    }
    report = f"release {RELEASE}\nby me\n"
    assert tasks["try"]["stdout"] == f"release {RELEASE}\nby {RELEASE}\n"
    assert tasks["read"]["stdout"].splitlines() == report.splitlines()
    sha256 = hashlib.sha256(report.encode()).hexdigest()
    assert {tasks[name]["outputs"]["sha256"] for name in ("fetch", "hand-on")} == {sha256}
    assert tasks["tell"]["outputs"] == {"status": 201, "number": 17}
    assert orjson.loads(service.asked[0].body) == {"release": RELEASE}
    assert tasks["anew"]["outputs"]["boot_before"] < tasks["anew"]["outputs"]["boot_after"]

    stored = await system.api.get(f"/api/v1/artifacts/{tasks['fetch']['outputs']['artifact']}")
    assert stored.content == report.encode()
    listed = (await system.api.get("/api/v1/artifacts", params={"run_id": str(run_id)})).json()["items"]
    assert [item["name"] for item in listed] == ["report.txt"]


async def test_an_artifact_comes_back_from_the_store_and_from_a_machine_as_it_was_sent(
    system: System,
) -> None:
    content = bytes(range(256)) * 4096 + b"\0\r\n\xff"
    artifact, path = await system.artifact(content), f"{system.folder}/home/blob"

    _, tasks = await run_of(
        system,
        {"name": "up", "type": "ssh.copy", "target": "host-0", "src": artifact, "dest": path},
        {"name": "down", "type": "ssh.copy", "target": "host-0", "direction": "download", "src": path},
    )

    assert {task["status"] for task in tasks.values()} == {"succeeded"}, tasks
    assert Path(path).read_bytes() == content
    for stored in (artifact, tasks["down"]["outputs"]["artifact"]):
        assert (await system.api.get(f"/api/v1/artifacts/{stored}")).content == content


async def test_facts_are_shown_on_their_target_and_choose_it_by_query(system: System) -> None:
    _, tasks = await run_of(
        system,
        {"name": "look", "type": "facts", "target": {"query": "os:linux,windows name:host-0,win"}},
        {"name": "linux", "type": "ssh.exec", "target": {"query": "facts.os_family:linux name:host-0,win"}}
        | {"command": "uname -r"},
    )

    assert {task["status"] for task in tasks.values()} == {"succeeded"}, tasks
    for name in ("host-0", "win"):
        shown = await target_named(system, name)
        assert shown["facts"] == tasks[f"look@{name}"]["outputs"]
        assert shown["facts_at"]


async def test_a_run_on_targets_chosen_by_query_takes_those_that_fit_and_no_other(system: System) -> None:
    host = await target_named(system, "host-0")
    for name, role in (("shelf-1", "web"), ("shelf-2", "web"), ("shelf-3", "db")):
        await like(system, host, name, tags={"role": role})

    _, tasks = await run_of(
        system,
        {"name": "work", "type": "ssh.exec", "command": "echo done"},
        targets={"query": "tag:role=web name:shelf-*"},
    )

    assert {name: task["stdout"] for name, task in tasks.items()} == {
        "work@shelf-1": "done\n",
        "work@shelf-2": "done\n",
    }


async def like(system: System, target: Mapping[str, Any], name: str, **fields: Any) -> None:
    """A target of this name that is the same machine under the same account."""
    same = {key: target[key] for key in ("os", "hostname", "credential_id", "ssh")}
    await system.made("targets", same | {"name": name} | fields)


async def bastion(system: System, reachable: Reachable) -> str:
    """The name of a target that is the OpenSSH server; its credential has the name of the target."""
    name = f"bastion-{uuid4().hex[:8]}"
    login = {"name": name, "type": "ssh", "username": reachable.username} | reachable.secrets
    credential = await system.made("credentials", login)
    spec = {"name": name, "os": "linux", "hostname": "127.0.0.1", "credential_id": credential["id"]}
    await system.made("targets", spec | {"ssh": {"port": reachable.port, "host_key": reachable.host_key}})
    return name


@pytest.mark.skipif(not sshd_is_installed(), reason="needs an OpenSSH server")
async def test_steps_reach_a_target_through_its_jump_host_and_name_it_when_it_fails(system: System) -> None:
    user = ordinary_user()
    if user is None:
        pytest.skip("no ordinary account with a login shell on this machine")
    host, content = await target_named(system, "host-0"), b"through two doors\n"
    path = f"{system.folder}/home/through"
    async with real_sshd(user) as reachable:
        jump = await bastion(system, reachable)
        await like(system, host, "behind", ssh=host["ssh"] | {"jump_host": {"target": jump}})
        steps = (
            {"name": "look", "type": "facts"},
            {"name": "up", "type": "ssh.copy", "src": await system.artifact(content), "dest": path},
            {"name": "show", "type": "ssh.exec", "command": f"cat {path}"},
            {"name": "down", "type": "ssh.copy", "direction": "download", "src": path},
        )
        run_id, tasks = await run_of(system, *steps, targets=["behind"])

    assert {name: task["status"] for name, task in tasks.items()} == {
        step["name"]: "succeeded" for step in steps
    }, tasks
    assert tasks["show"]["stdout"] == content.decode()
    used = await system.value(
        "SELECT count(*) FROM audit WHERE detail ->> 'run_id' = $1 AND detail ->> 'jump_host' = $2",
        str(run_id),
        jump,
    )
    assert used == len(steps)

    closed = await bastion(system, replace(reachable, port=free_port()))
    await like(system, host, "cut-off", ssh=host["ssh"] | {"jump_host": {"target": closed}})
    _, tasks = await run_of(
        system, {"name": "show", "type": "ssh.exec", "command": "id"}, targets=["cut-off"]
    )
    assert tasks["show"]["error"]["code"] == "unreachable"
    assert closed in tasks["show"]["error"]["message"]


@pytest.mark.parametrize("kind", ["ssh.copy", "ssh.script", "winrm.copy"])
@pytest.mark.parametrize("src", [str(uuid4()), "not an id"], ids=["unknown", "no id"])
async def test_a_wrong_file_id_is_told_as_a_missing_artifact_and_leaves_no_file(
    system: System, kind: str, src: str
) -> None:
    never = system.folder / "home" / "never"
    more = {
        "ssh.copy": {"target": "host-0", "dest": str(never)},
        "ssh.script": {"target": "host-0"},
        "winrm.copy": {"target": "win", "dest": r"C:\Temp\never"},
    }

    _, tasks = await run_of(system, {"name": "wrong", "type": kind, "src": src} | more[kind])

    error = tasks["wrong"]["error"]
    assert (tasks["wrong"]["status"], error["code"]) == ("failed", "artifact_missing")
    assert src in error["message"]
    assert "upload it again" in error["hint"]
    assert not never.exists()
