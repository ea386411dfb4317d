"""Ends that come from this side or the way in between: too quiet, shut down, output lost, a bug of ours."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.lives import Life, Scene
from tests.support.outputs import CollectedOutput
from tests.support.windows import PATIENT, a_context, ntlm_over_http
from workers.executor.steps.winrm_exec import WinrmExecPlugin

GOES_ON = "'begun'\nStart-Sleep -Seconds 30"


@pytest.fixture
async def scene(windows_host: WindowsHost) -> AsyncIterator[Scene]:
    context = a_context(ntlm_over_http(windows_host), CollectedOutput())
    scene = Scene(
        make=lambda: WinrmExecPlugin(limits=PATIENT, threads=8),
        target=context.target,
        credential=context.credential,
    )
    yield scene
    await scene.close()


def life(scene: Scene, command: str, **fields: Any) -> Life:
    return Life(scene, {"type": "winrm.exec", "command": command} | fields, scene.worker())


@pytest.mark.provokes("idle_timed_out")
async def test_a_command_that_falls_silent_is_stopped_when_its_step_says_so(
    scene: Scene, windows_host: WindowsHost
) -> None:
    ledger = await life(scene, GOES_ON, idleTimeoutSec=4).through()

    assert ledger.verdict == ("timed_out", "idle_timed_out"), ledger.shown
    assert "begun" in ledger.said
    assert windows_host.shells == {}


@pytest.mark.provokes("worker_shutdown")
async def test_a_worker_that_is_shut_down_stops_what_nobody_can_take_over(
    scene: Scene, windows_host: WindowsHost
) -> None:
    attempt = life(scene, GOES_ON)
    attempt.begin()
    await attempt.begun()

    ledger = await attempt.stopped("worker_shutdown")

    assert ledger.verdict == ("failed", "worker_shutdown"), ledger.shown
    assert windows_host.shells == {}


@pytest.mark.provokes("output_unjudged")
async def test_lost_output_that_would_have_decided_leaves_the_outcome_open(
    scene: Scene, windows_host: WindowsHost
) -> None:
    windows_host.knobs.drop_in_receive = 1

    ledger = await life(scene, "hostname", fail_on={"pattern": "BAD"}).through()

    assert ledger.verdict == ("unknown", "output_unjudged"), ledger.shown
    assert len(windows_host.journal) == 1


@pytest.mark.provokes("internal")
async def test_a_bug_of_ours_before_the_target_acted_fails_the_attempt_and_names_no_secret(
    scene: Scene, windows_host: WindowsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("pass/w+rd")

    monkeypatch.setattr(WinrmExecPlugin, "start", broken)

    ledger = await life(scene, "hostname").through()

    assert ledger.verdict == ("failed", "internal")
    assert "ZeroDivisionError" in ledger.shown
    assert "pass/w+rd" not in ledger.shown
    assert windows_host.journal == []
