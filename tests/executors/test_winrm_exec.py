"""What `winrm.exec` promises, against a simulated host that speaks the real protocol."""

import asyncio

import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.windows import Bench, basic_over_https, ntlm_over_http, script
from workers.executor.steps.base import Fenced, NotResumable, StepFault

SAMPLE = "Restart-Service Spooler; (Get-Service Spooler).Status"


async def test_the_sample_script_restarts_the_service_and_says_that_it_runs(
    windows_host: WindowsHost, bench: Bench
) -> None:
    outcome = await bench.run(SAMPLE)

    assert (outcome.outcome, outcome.exit_code) == ("succeeded", 0)
    assert bench.output.stdout == b"Running\r\n"
    assert bench.output.stderr == b""
    spooler = windows_host.services.find("Spooler")
    assert spooler is not None
    assert spooler.restarts == 1
    assert len(windows_host.journal) == 1
    assert windows_host.shells == {}
