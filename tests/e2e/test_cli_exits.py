"""Every exit code that docs/terminal.md tells of, each provoked by what it speaks of."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli import exits
from tests.support.processes import ROOT
from tests.support.up import Up

pytestmark = pytest.mark.timeout(300)

LINUX = "sample-linux-server"
NOWHERE = {
    "apiVersion": "opsconductor/v1",
    "kind": "Target",
    "metadata": {"name": "exits-nowhere"},
    "spec": {
        "os": "linux",
        "hostname": "127.0.0.1",
        "credential": "sample-linux-operator",
        "ssh": {"port": 1},
    },
}


def _job(name: str, command: str, *targets: str, **step: Any) -> dict[str, Any]:
    steps = [{"name": "act", "type": "ssh.exec", "command": command, **step}]
    head = {"apiVersion": "opsconductor/v1", "kind": "Job", "metadata": {"name": name}}
    return head | {"spec": {"targets": list(targets), "steps": steps}}


JOBS = (
    _job("exits well", "echo fine", LINUX),
    _job("exits badly", "exit 7", LINUX),
    _job("exits half", "echo here", LINUX, "exits-nowhere", on_failure="continue"),
    _job("exits never", "echo begun; sleep 600", LINUX),
    # Nobody is left to write down how it ended, as after a crash of the machine.
    _job("exits unknown", "echo begun; kill -9 $PPID", LINUX),
)


@pytest.fixture(scope="module")
def stocked(running: Up) -> Iterator[Up]:
    documents = "\n---\n".join(json.dumps(document) for document in (NOWHERE, *JOBS))
    applied = running.command("apply", "-f", "-", typed=documents)
    assert applied.code == 0, applied
    yield running
    for name in ("exits well", "exits badly", "exits half", "exits never", "exits unknown"):
        assert running.command("delete", "job", name, "--yes").code == 0
    assert running.command("delete", "target", "exits-nowhere", "--yes").code == 0


@pytest.mark.parametrize("how", ["--follow", "--wait"])
@pytest.mark.parametrize(
    ("job", "code", "word"),
    [
        ("exits well", 0, "succeeded in"),
        ("exits badly", 1, "exit code 7"),
        ("exits half", 3, "partial in"),
        ("exits unknown", 5, "Settle unknown:  opsconductor runs resolve"),
    ],
)
async def test_a_run_exits_as_it_ends(stocked: Up, job: str, code: int, word: str, how: str) -> None:
    ended = stocked.command("run", job, how)

    assert (ended.code, word in ended.err) == (code, True), ended
    assert "bug" not in ended.err
    run_id = re.findall(r"Run (\S+)", ended.err)[0]
    for again in ("wait", "watch"):
        assert stocked.command("runs", again, run_id).code == code


async def test_an_unknown_end_can_be_settled_with_the_words_that_were_offered(stocked: Up) -> None:
    ended = stocked.command("run", "exits unknown", "--follow")
    [offered] = [line for line in ended.err.splitlines() if "runs resolve" in line]
    words = offered.partition("opsconductor ")[2].split()[:-1]

    settled = stocked.command(*words, "the process list shows that it is gone")

    assert settled.code == 0, settled
    assert settled.out.splitlines()[1].split() == ["act", LINUX, "succeeded"]


async def test_what_is_not_in_time_exits_with_124_and_what_was_cancelled_with_4(stocked: Up) -> None:
    late = stocked.command("run", "exits never", "--wait", "--timeout", "1")
    assert late.code == 124
    run_id = re.findall(r"Run (\S+)", late.err)[0]
    assert stocked.command("runs", "cancel", run_id).code == 0
    assert stocked.command("runs", "wait", run_id).code == 4
    assert stocked.command("runs", "log", run_id, "--follow").code == 4


async def test_a_run_that_waits_says_what_for(stocked: Up) -> None:
    nobody = {"apiVersion": "opsconductor/v1", "kind": "Target", "metadata": {"name": "exits-far"}}
    place = {"os": "linux", "hostname": "127.0.0.1", "credential": "sample-linux-operator", "pool": "far"}
    assert stocked.command("apply", "-f", "-", typed=json.dumps(nobody | {"spec": place})).code == 0
    started = stocked.command("run", "exits well", "-t", "exits-far", "--wait", "--timeout", "2")
    run_id = re.findall(r"Run (\S+)", started.err)[0]

    shown = stocked.command("runs", "show", run_id)

    assert "1 waiting for an executor that serves pool far: none is running" in shown.err
    assert stocked.command("runs", "cancel", run_id).code == 0
    assert stocked.command("delete", "target", "exits-far", "--yes").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("run", "exits nothing"),
        ("run", "exits well", "-p", "undeclared=1"),
        ("runs", "wait", "no-id"),
        ("runs", "list", "--status", "sideways"),
        ("runs", "list", "--such-an-option"),
    ],
    ids=" ".join,
)
async def test_what_is_wrong_exits_with_2_and_starts_nothing(stocked: Up, words: tuple[str, ...]) -> None:
    def count() -> str:
        return stocked.command("runs", "list", "--all", "--query", "length(@)").out

    before = count()
    assert stocked.command(*words).code == 2
    assert count() == before


def test_the_documented_codes_are_those_of_the_program() -> None:
    table = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "terminal.md").read_text(), re.MULTILINE)
    known = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert {int(code) for code in table} == known
