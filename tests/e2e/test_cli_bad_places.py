"""Full disks, editors that fail, and addresses where somebody else answers: told in words, nothing lost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.processes import ROOT
from tests.support.up import COMMAND_SECONDS, Up

pytestmark = pytest.mark.timeout(200)

COUNTDOWN = "Sample Linux Countdown"


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "list"),
        ("jobs", "list", "-o", "json"),
        ("export",),
        ("run", COUNTDOWN, "-p", "start=1", "--follow"),
        ("context", "list"),
        ("doctor",),
        ("schema", "job"),
        ("completion", "bash"),
        ("--help",),
    ],
    ids=" ".join,
)
async def test_output_to_a_full_disk_ends_with_1_and_one_sentence(
    running: Up, words: tuple[str, ...]
) -> None:
    ended = running.written_to("/dev/full", *words)

    assert ended.code == 1, ended
    assert ended.err.count("The output cannot be written (No space left on device).") == 1, ended
    assert "Traceback" not in ended.err
    if "--follow" in words:
        assert "the run goes on" in ended.err


def test_an_export_that_finds_no_room_leaves_every_file_whole(running: Up, tmp_path: Path) -> None:
    """A file may grow to no more than 512 bytes here: the sample jobs are larger."""
    folder = tmp_path / "ops"
    assert running.command("export", "--dir", str(folder)).code == 0
    before = {file: file.read_bytes() for file in folder.rglob("*.yaml")}
    assert max(map(len, before.values())) > 512

    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 1; exec "$0" -m cli export --dir "$1"', sys.executable, str(folder)],
        capture_output=True, text=True, cwd=ROOT, env=running.environment(PYTHONDONTWRITEBYTECODE="1"),
        timeout=COMMAND_SECONDS, check=False,
    )  # fmt: skip

    assert ended.returncode == 1, ended
    assert "cannot be written (File too large)" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("editor", "told"),
    [
        ("/not/there", "cannot be started (No such file or directory)"),
        ("/etc/passwd", "cannot be started (Permission denied)"),
        ('vi "', "cannot be started (No closing quotation)"),
        ("false", "The editor ended with 1; nothing was changed."),
        ("rm -f", "Nothing was changed."),
    ],
)
async def test_an_editor_that_fails_changes_nothing_and_says_so(running: Up, editor: str, told: str) -> None:
    before = running.command("get", "job", COUNTDOWN, "-o", "yaml").out

    ended = running.command("edit", "job", COUNTDOWN, EDITOR=editor)

    assert (ended.code, told in ended.err) == (2, True), ended
    assert "Traceback" not in ended.err
    assert running.command("get", "job", COUNTDOWN, "-o", "yaml").out == before


@pytest.mark.parametrize("wrong", ["s/timeoutSec/timeoutsec/", r"s/echo/\xff/"], ids=["refused", "no text"])
def test_what_somebody_wrote_is_kept_when_it_cannot_be_saved(running: Up, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "job-edited.yaml").write_text("from an earlier day")
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "edit", "job", COUNTDOWN],
        capture_output=True, text=True, cwd=tmp_path, timeout=COMMAND_SECONDS, check=False,
        env=running.environment(PYTHONPATH=str(ROOT), EDITOR=f"sed -i '{wrong}'", LC_ALL="C"),
    )  # fmt: skip

    assert ended.returncode == 2
    assert "opsconductor apply -f job-edited-2.yaml" in ended.stderr
    assert b"i=$((i - 1))" in (tmp_path / "job-edited-2.yaml").read_bytes()
    assert (tmp_path / "job-edited.yaml").read_text() == "from an earlier day"


class _Elsewhere(BaseHTTPRequestHandler):
    """Somebody else's server: pages for reading, nothing for anything else; it remembers what it was sent."""

    heard: tuple[str, ...] = ()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Intranet</title>")

    def do_POST(self) -> None:
        _Elsewhere.heard = (*_Elsewhere.heard, self.path)
        self.send_error(501)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_no_password_goes_to_a_server_that_is_somebody_elses(running: Up, elsewhere: str) -> None:
    ended = running.command("login", "--url", elsewhere, "--password-stdin", typed="secret\n")

    assert (ended.code, f"What answers at {elsewhere} (200) is not OpsConductor." in ended.err) == (2, True)
    assert _Elsewhere.heard == ()
    asked = running.command("jobs", "list", "--url", elsewhere, OPS_TOKEN="token")
    assert (asked.code, "is not OpsConductor" in asked.err) == (2, True), asked


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999", "http://", "ops.example.org"])
async def test_an_address_that_is_none_is_told_as_such(running: Up, url: str) -> None:
    ended = running.command("login", "--url", url, "--password-stdin", typed="secret\n")

    assert (ended.code, "is no address" in ended.err) == (2, True), ended


async def test_a_session_that_cannot_be_stored_is_told_as_such(running: Up, tmp_path: Path) -> None:
    (tmp_path / "opsconductor").write_text("a file where the folder should be")
    ended = running.command(
        "login", "--url", running.url, "--password-stdin",
        typed="an-Unlikely-phrase-7301\n", XDG_CONFIG_HOME=str(tmp_path),
    )  # fmt: skip

    assert (ended.code, "The session cannot be stored in" in ended.err) == (2, True), ended
    assert "XDG_CONFIG_HOME" in ended.err


async def test_a_server_that_stays_away_is_waited_for_no_longer_than_was_said(running: Up) -> None:
    run_id = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
    away = {"OPS_URL": "http://127.0.0.1:1", "OPS_TOKEN": "token"}

    ended = running.command("runs", "wait", run_id, "--timeout", "1", "-o", "json", **away)

    assert (ended.code, json.loads(ended.out)) == (124, {"id": run_id}), ended
    assert "did not end within 1 s" in ended.err
