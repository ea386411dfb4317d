"""The web client in a real browser, against a real system: one test for each file of checks in `web/e2e`."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.up import Up, an_up

WEB = ROOT / "web"
PASSWORD = "violet-Harbour-9-lantern"
REQUIRED = os.environ.get("OPS_TEST_REQUIRE_BROWSER") == "1"

FIRST = "first-run"
"""Looks at a system on which nothing was made yet; so it comes before the others."""

TOOLS = {"shots"}
"""Programs beside the checks."""

_SECONDS = 1_500
"""A bound for a busy machine, not a measure."""


def _files() -> list[str]:
    names = {path.stem for path in (WEB / "e2e").glob("*.mjs")} - TOOLS
    return [FIRST, *sorted(names - {FIRST})]


def _built() -> bool:
    """Whether the client was built since its source last changed."""
    page = WEB / "dist" / "index.html"
    source = (path.stat().st_mtime for path in (WEB / "src").rglob("*") if path.is_file())
    return page.exists() and page.stat().st_mtime > max(source)


def _missing() -> str | None:
    if shutil.which("node") is None:
        return "there is no Node"
    if not Path(os.environ.get("OPS_WEB_CHROMIUM", "/usr/bin/chromium")).exists():
        return "there is no chromium: install it, or name it in OPS_WEB_CHROMIUM"
    if not _built() or not (WEB / "node_modules").exists():
        return "the web client was not built since it changed: make web"
    return None


@pytest.fixture(scope="module")
def system() -> Iterator[Up]:
    if reason := _missing():
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    with an_up() as up:
        up.start(OPS_BOOTSTRAP_ADMIN_PASSWORD=PASSWORD)
        asyncio.run(up.serving())
        yield up
        asyncio.run(up.stop())


def _about(system: Up, pictures: Path) -> dict[str, str]:
    """What the checks are told: where to look, who to be, and how to send messages past the API."""
    services = json.loads((system.data / "services.json").read_text())
    return {
        "OPS_WEB_URL": system.url,
        "OPS_WEB_PASSWORD": PASSWORD,
        "OPS_WEB_AMQP": services["amqp_url"],
        "OPS_WEB_PYTHON": sys.executable,
        "OPS_WEB_GATEWAY_PID": str(system.pid_of("-m gateway")),
        "OPS_WEB_PICTURES": str(pictures),
    }


def _run(file: str, about: dict[str, str]) -> tuple[int, str]:
    """The exit code and what was said; nothing that was started for it is left."""
    arguments = ["node", "--test-reporter=spec", f"e2e/{file}.mjs"]
    process = subprocess.Popen(
        arguments, cwd=WEB, env={**os.environ, **about}, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said = f"{process.communicate()[0]}\nIt was not done within {_SECONDS} s."
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said


@pytest.mark.timeout(_SECONDS + 120)
@pytest.mark.parametrize("file", _files())
def test_the_web_client_keeps_its_promises_in_a_browser(file: str, system: Up, tmp_path: Path) -> None:
    code, said = _run(file, _about(system, tmp_path))

    print(said)  # noqa: T201 -- what it took, for whoever asks with -rP
    assert code == 0, f"web/e2e/{file}.mjs: see what it said"
