"""The client verbs against a running system."""

import json
import os
import signal
from typing import Any

import httpx2
import pytest

from tests.support.eventually import PATIENCE, eventually
from tests.support.up import START_SECONDS, Up

pytestmark = pytest.mark.timeout(400)

COUNTDOWN = "Sample Linux Countdown"
WINDOWS = "Sample Windows Service Restart"


def _json(up: Up, *arguments: str) -> Any:
    ended = up.command(*arguments, "-o", "json")
    assert ended.code == 0, ended
    return json.loads(ended.out)


async def test_following_prints_every_line_and_exits_with_0_when_it_succeeded(running: Up) -> None:
    ended = running.command("run", COUNTDOWN, "-p", "start=2", "-p", "message=a b  c", "--follow")
    assert ended.code == 0
    lines = ["2 …", "1 …", "a b  c"]
    assert ended.out.splitlines() == [f"[sample-linux-server] {line}" for line in lines]
    assert "succeeded in" in ended.err


async def test_a_failed_run_exits_with_1_and_says_why_and_what_to_do(running: Up) -> None:
    job = {"name": "Fails", "steps": [_step("echo out; echo wrong >&2; exit 3")]}
    _create_job(running, job)
    ended = running.command("run", "Fails", "--follow")
    assert ended.code == 1
    assert "[sample-linux-server] out" in ended.out
    assert "[sample-linux-server] ! wrong" in ended.out
    assert "exit code 3" in ended.err.lower() or "code 3" in ended.err
    [run] = [run for run in _json(running, "runs", "list") if run["job_name"] == "Fails"]
    shown = running.command("runs", "show", run["id"])
    assert "sample-linux-server" in shown.out
    assert "failed" in shown.out
    failed = running.command("runs", "log", run["id"], "--failed")
    assert "[sample-linux-server] ! wrong" in failed.out


def _step(command: str) -> dict[str, str]:
    return {"type": "ssh.exec", "target": "sample-linux-server", "command": command}


def _create_job(up: Up, job: dict[str, Any]) -> None:
    _create(up, "jobs", job)


def _create(up: Up, path: str, body: dict[str, Any]) -> None:
    """Through the API with the session of the command line."""
    stored = json.loads((up.data.parent / "config/opsconductor/contexts.json").read_text())
    token = stored["sessions"][up.url.removeprefix("http://")]["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=up.url, headers=headers, trust_env=False, timeout=PATIENCE) as client:
        client.post(f"/api/v1/{path}", json=body).raise_for_status()


async def test_an_unknown_job_and_wrong_parameters_are_told_field_by_field(running: Up) -> None:
    unknown = running.command("run", "Sample Linux", "--follow")
    assert unknown.code == 2
    assert "There is no job named 'Sample Linux'" in unknown.err
    assert COUNTDOWN in unknown.err
    wrong = running.command("run", COUNTDOWN, "-p", "start=many", "-p", "colour=red")
    assert wrong.code == 2
    assert "start: 'many' is not a whole number" in wrong.err
    assert "colour: is not a parameter of this job" in wrong.err
    refused = running.command("run", COUNTDOWN, "-p", "start=0")
    assert refused.code == 2
    assert "parameters.start: must be at least 1" in refused.err
    nowhere = running.command("run", COUNTDOWN, "--target", "nowhere")
    assert nowhere.code == 2
    assert "there is no target named nowhere" in nowhere.err


async def test_following_survives_a_killed_gateway_with_every_line_exactly_once(running: Up) -> None:
    follower = running.begin("run", COUNTDOWN, "-p", "start=20", "--follow")
    await eventually(lambda: follower.said("18 …"), within=START_SECONDS)
    os.kill(running.pid_of("-m gateway"), signal.SIGKILL)
    await eventually(lambda: not follower.alive, within=START_SECONDS)
    assert follower.exit_code() == 0, follower.last_words()
    said = follower.log.read_text()
    lines = [line for line in said.splitlines() if line.startswith("[sample-linux-server]")]
    counted = [f"{number} …" for number in range(20, 0, -1)]
    assert lines == [f"[sample-linux-server] {line}" for line in [*counted, "Liftoff."]]
    assert "Connected again." in said


async def test_who_stops_watching_is_told_how_to_go_on_and_how_to_cancel(running: Up) -> None:
    follower = running.begin("run", COUNTDOWN, "-p", "start=500", "--follow")
    await eventually(lambda: follower.said("499 …"), within=START_SECONDS)
    os.kill(follower.pid, signal.SIGINT)
    await eventually(lambda: not follower.alive)
    assert follower.exit_code() == 130
    said = follower.log.read_text()
    assert "the run goes on" in said
    [cancel] = [line.split("opsconductor ")[1] for line in said.splitlines() if "runs cancel" in line]
    stopped = running.command(*cancel.split())
    assert stopped.code == 0, stopped
    assert "1 cancelled" in stopped.out
    watched = running.command("runs", "log", cancel.split()[-1], "--follow")
    assert watched.code == 4


async def test_a_time_out_while_following_exits_with_124_and_leaves_the_run_alone(running: Up) -> None:
    ended = running.command("run", COUNTDOWN, "-p", "start=500", "--follow", "--timeout", "1")
    assert ended.code == 124
    [newest, *_] = _json(running, "runs", "list")
    assert newest["status"] in ("requested", "running")
    assert running.command("runs", "cancel", newest["id"], "--timeout", "100").code == 0


async def test_lists_are_tables_for_people_and_the_apis_objects_for_programs(running: Up) -> None:
    assert {job["name"] for job in _json(running, "jobs", "list")} >= {COUNTDOWN, WINDOWS}
    targets = {target["name"]: target for target in _json(running, "targets", "list")}
    assert targets["sample-windows-server"]["tags"] == {"simulated": "true"}
    assert all(queue["consumers"] == 1 for queue in _json(running, "queues"))
    assert _json(running, "dlq", "list") == []
    table = running.command("targets", "list")
    assert "sample-linux-server" in table.out
    assert "\x1b" not in table.out


async def test_the_doctor_finds_nothing_wrong_and_says_so_line_by_line(running: Up) -> None:
    findings = _json(running, "doctor")
    assert [finding for finding in findings if not finding["ok"]] == []
    checks = {finding["check"] for finding in findings}
    assert checks >= {"settings", "database", "schema", "clock", "broker", "queues", "workers", "outbox"}
    assert checks >= {"dead letters", "gateway", "data folder"}


async def test_the_doctor_says_what_is_wrong_and_what_to_do(running: Up) -> None:
    sick = running.command("doctor", OPS_AMQP_URL="amqp://127.0.0.1:1/")
    assert sick.code == 1
    assert "fail  broker" in sick.out
    assert "OPS_AMQP_URL" in sick.out
    jwt = running.data / "secrets" / "jwt-keys"
    jwt.chmod(0o644)
    try:
        open_to_all = running.command("doctor")
    finally:
        jwt.chmod(0o600)
    assert open_to_all.code == 1
    assert "chmod" in open_to_all.out


async def test_nobody_there_and_nobody_signed_in_are_told_apart(running: Up) -> None:
    gone = running.command("login", "--url", "http://127.0.0.1:1", "--password-stdin", typed="x\n")
    assert gone.code == 1
    assert "make up" in gone.err
    stranger = running.command("runs", "list", XDG_CONFIG_HOME=str(running.data.parent / "nobody"))
    assert stranger.code == 2
    assert "opsconductor login" in stranger.err
    wrong = running.command("login", "--url", running.url, "--password-stdin", typed="wrong\n")
    assert wrong.code == 2
    assert "The user name or the password is wrong" in wrong.err


async def test_a_forgotten_password_is_replaced_and_ends_every_session(running: Up) -> None:
    reset = running.command("admin", "reset-password")
    assert reset.code == 0, reset
    [line] = [line for line in reset.out.splitlines() if line.startswith("Password")]
    await eventually(lambda: running.command("jobs", "list").code == 2)
    assert running.sign_in(line.split()[1]).code == 0
    assert running.choose_password(line.split()[1], "another-Long-one-5511").code == 0
    assert running.command("jobs", "list").code == 0


async def test_migrate_says_that_nothing_is_behind(running: Up) -> None:
    check = running.command("migrate", "--check")
    assert check.code == 0, check
    assert running.command("migrate").code == 0


async def test_connections_are_tested_stage_by_stage_with_an_exit_code(running: Up) -> None:
    every = running.command("targets", "test", "--all")
    one = running.command("targets", "test", "sample-linux-server")
    tests = _json(running, "targets", "test", "sample-windows-server")

    assert every.code == 0, every
    assert "sample-windows-server" in every.out
    assert [line.split()[:2] for line in one.out.splitlines()[1:]] == [
        ["dns", "ok"],
        ["tcp", "ok"],
        ["host_key", "ok"],
        ["auth", "ok"],
        ["command", "ok"],
    ]
    assert tests[0]["status"] == "succeeded"
    unknown = running.command("targets", "test", "nowhere")
    assert (unknown.code, "no target named 'nowhere'" in unknown.err) == (2, True)
    assert running.command("targets", "test").code == 2


async def test_a_new_host_is_pinned_where_it_was_first_seen(running: Up) -> None:
    [sample] = [t for t in _json(running, "targets", "list") if t["name"] == "sample-linux-server"]
    ssh = {"port": sample["ssh"]["port"]}
    body = {name: sample[name] for name in ("os", "hostname", "credential_id")}
    _create(running, "targets", body | {"name": "first-seen", "ssh": ssh})

    unknown = running.command("targets", "test", "first-seen")
    assert unknown.code == 1
    assert "SHA256:" in unknown.err
    pinned = running.command("targets", "test", "first-seen", "--pin", "--yes")

    assert pinned.code == 0, pinned
    [stored] = [t for t in _json(running, "targets", "list") if t["name"] == "first-seen"]
    assert stored["ssh"]["host_key"] == sample["ssh"]["host_key"]
