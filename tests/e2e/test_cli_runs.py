"""Starting, watching, repeating and settling runs from the command line."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.up import START_SECONDS, Up

pytestmark = pytest.mark.timeout(300)

COUNTDOWN = "Sample Linux Countdown"


def _apply(up: Up, *documents: dict[str, Any]) -> None:
    ended = up.command("apply", "-f", "-", typed="\n---\n".join(json.dumps(d) for d in documents))
    assert ended.code == 0, ended


def _job(name: str, command: str, **spec: Any) -> dict[str, Any]:
    step = {"name": "act", "type": "ssh.exec", "target": "sample-linux-server", "command": command}
    head = {"apiVersion": "opsconductor/v1", "kind": "Job", "metadata": {"name": name}}
    return head | {"spec": {**spec, "steps": [step]}}


async def test_waiting_exits_as_the_run_ends_and_groups_what_failed_by_cause(running: Up) -> None:
    _apply(running, _job("Breaks", "echo shown; exit 3"))
    ended = running.command("run", "Breaks", "--wait", "-o", "json")
    assert ended.code == 1
    run = json.loads(ended.out)
    assert run["status"] == "failed"
    assert "act on sample-linux-server: failed: " in ended.err
    [again] = [line for line in ended.err.splitlines() if "rerun" in line]
    repeated = running.command(*again.split("opsconductor ")[1].split())
    assert repeated.code == 1
    assert "[sample-linux-server] shown" in repeated.out
    assert running.command("runs", "wait", run["id"]).code == 1
    assert running.command("runs", "watch", run["id"]).code == 1


async def test_a_parameter_comes_from_a_file_and_a_rerun_may_have_another(running: Up) -> None:
    _apply(running, _job("Says", "echo {{ word }}", parameters={"word": {"type": "string"}}))
    note = running.data.parent / "note.txt"
    note.write_text("from a file")
    first = running.command("run", "Says", "-p", f"word=@{note}", "--follow")
    assert first.out == "[sample-linux-server] from a file\n"
    run_id = first.err.split()[1]
    again = running.command("runs", "rerun", run_id, "-p", "word=@@other", "--follow")
    assert again.out == "[sample-linux-server] @other\n"
    missing = running.command("run", "Says", "-p", "word=@/not/there")
    assert missing.code == 2
    assert "word: /not/there cannot be read" in missing.err
    stamped = running.command("runs", "log", run_id, "--timestamps", "-s", "act", "--since", "1h")
    assert stamped.out.endswith("[sample-linux-server] from a file\n")
    assert stamped.out.startswith("20")
    assert running.command("runs", "log", run_id, "--since", "2999-01-01").out == ""


async def test_a_file_parameter_is_stored_and_copied_to_the_machine(running: Up, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("carried along")
    to = f"{tmp_path}/arrived.txt"
    where = {"target": "sample-linux-server"}
    steps = [
        {"type": "ssh.copy", "src": "{{ notes }}", "dest": to, **where},
        {"type": "ssh.exec", "command": f"cat {to}; echo on {{{{ on }}}}", **where},
    ]
    head = {"apiVersion": "opsconductor/v1", "kind": "Job", "metadata": {"name": "Carries a file"}}
    declared = {"notes": {"type": "file", "required": True}, "on": {"type": "date"}}
    _apply(running, head | {"spec": {"parameters": declared, "steps": steps}})

    given = ["-p", f"notes=@{tmp_path}/notes.txt", "-p", "on=2026-03-31"]
    ended = running.command("run", "Carries a file", *given, "--follow")

    assert (ended.code, "carried alongon 2026-03-31" in ended.out) == (0, True), ended


async def test_a_run_can_be_aimed_by_a_query_and_one_that_fits_nothing_says_so(running: Up) -> None:
    _apply(running, _job("Says", "echo {{ word }}", parameters={"word": {"type": "string"}}))
    nothing = running.command("run", COUNTDOWN, "--query", "colour:red")
    assert nothing.code == 2
    both = running.command("run", COUNTDOWN, "--query", "os:linux", "--target", "x")
    assert both.code == 2


async def test_waiting_too_long_exits_with_124_and_the_run_goes_on(running: Up) -> None:
    ended = running.command("run", COUNTDOWN, "-p", "start=400", "--wait", "--timeout", "1")
    assert ended.code == 124
    run_id = ended.err.split()[1]
    stopped = running.command("runs", "cancel", run_id)
    assert stopped.code == 0
    assert running.command("runs", "wait", run_id).code == 4


async def test_waiting_survives_a_gateway_that_is_killed(running: Up) -> None:
    waiter = running.begin("run", COUNTDOWN, "-p", "start=12", "--wait")
    await eventually(lambda: waiter.said("Run "), within=START_SECONDS)

    os.kill(running.pid_of("-m gateway"), signal.SIGKILL)
    await eventually(lambda: not waiter.alive, within=START_SECONDS)
    assert waiter.exit_code() == 0, waiter.last_words()
    assert "succeeded in" in waiter.last_words()


async def test_lists_come_in_every_form_and_a_query_takes_what_is_wanted(running: Up) -> None:
    def out(*arguments: str) -> str:
        ended = running.command(*arguments)
        assert ended.code == 0, ended
        return ended.out

    names = out("jobs", "list", "-o", "name").splitlines()
    assert COUNTDOWN in names
    assert [json.loads(line)["name"] for line in out("jobs", "list", "-o", "jsonl").splitlines()] == names
    assert out("jobs", "list", "--query", "[].name").splitlines() == names
    assert json.loads(out("jobs", "list", "-o", "json", "--query", "length(@)")) == len(names)
    assert "VERSION" not in out("jobs", "list", "--no-headers")
    assert "DESCRIPTION" in out("jobs", "list", "-o", "wide")
    assert len(json.loads(out("runs", "list", "-n", "1", "-o", "json"))) == 1
    assert len(json.loads(out("runs", "list", "--all", "-o", "json"))) > 1
    refused = running.command("jobs", "list", "--query", "[?")
    assert refused.code == 2
    assert "JMESPath" in refused.err
    assert out("users", "-o", "name") == "admin\n"
    assert json.loads(out("workers", "-o", "json"))[0]["alive"]


async def test_files_go_up_and_come_down_whole(running: Up) -> None:
    folder = running.data.parent
    (folder / "up.bin").write_bytes(bytes(range(256)) * 3000)
    stored = running.command("artifacts", "put", str(folder / "up.bin"))
    assert stored.code == 0, stored
    fetched = running.command("artifacts", "get", stored.out.strip(), "--to", str(folder / "down.bin"))
    assert fetched.code == 0, fetched
    assert (folder / "down.bin").read_bytes() == (folder / "up.bin").read_bytes()
    again = running.command("artifacts", "get", stored.out.strip(), "--to", str(folder / "down.bin"))
    assert again.code == 2
    assert "--force" in again.err
    listed = running.command("artifacts", "list", "-o", "name")
    assert stored.out in listed.out


async def test_the_whole_api_is_within_reach_and_a_token_from_the_environment_is_used(running: Up) -> None:
    meta = running.command("api", "GET", "/api/v1/meta")
    assert json.loads(meta.out)["api_version"] == "v1"
    listed = running.command("api", "GET", "/api/v1/runs", "-f", "limit=1", "--query", "length(items)")
    assert listed.out == "1\n"
    missing = running.command("api", "GET", "/api/v1/nothing")
    assert missing.code == 2
    refused = running.command("jobs", "list", OPS_TOKEN="not-a-token", OPS_URL=running.url)
    assert refused.code == 2
    assert "OPS_TOKEN" in refused.err
    stored = json.loads((running.data.parent / "config/opsconductor/contexts.json").read_text())
    token = stored["sessions"][running.url.removeprefix("http://")]["access_token"]
    given = {"OPS_TOKEN": token, "OPS_URL": running.url, "XDG_CONFIG_HOME": "/nowhere"}
    assert running.command("jobs", "list", **given).code == 0
    page = running.command("open", "job", COUNTDOWN)
    assert page.out.startswith(f"{running.url}/jobs/")


async def test_a_shell_completes_commands_and_the_names_of_jobs(running: Up) -> None:
    script = running.command("completion", "bash")
    assert "_OPSCONDUCTOR_COMPLETE=complete_bash" in script.out
    for shell in ("zsh", "fish", "powershell"):
        assert "_OPSCONDUCTOR_COMPLETE" in running.command("completion", shell).out
    asked = running.command(
        _OPSCONDUCTOR_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="opsconductor run Sample"
    )
    assert COUNTDOWN in asked.out, asked
