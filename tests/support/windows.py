"""A simulated Windows host, and what the tests of `winrm.exec` need around one attempt on it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from contracts.binding import ParameterValue
from contracts.jobs.steps import WinrmExec
from contracts.targets.specs import SshSettings, WinrmSettings
from infra.sandbox.windows import WindowsHost
from tests.support.artifacts import MemoryArtifacts
from tests.support.outputs import CollectedOutput
from tests.support.ports import free_port
from workers.executor.judging import Judge
from workers.executor.steps.base import (
    Attempt,
    Handle,
    OpenedCredential,
    StepContext,
    StepOutcome,
    TargetView,
)
from workers.executor.steps.winrm_exec import Limits, WinrmExecPlugin

USER, PASSWORD = "ops", "correct horse battery"
PATIENT = Limits(
    connect=20.0, handshake=20.0, operation=1, reconnect=30.0, room=40.0, stop=20.0, stop_in_all=40.0
)
"""A busy machine does not reach them."""
QUICK = Limits(connect=2.0, handshake=1.0, operation=1, reconnect=3.0, room=6.0, stop=1.0, stop_in_all=4.0)


@pytest.fixture
async def windows_host() -> AsyncIterator[WindowsHost]:
    host = WindowsHost("win-01", USER, PASSWORD, http_port=free_port(), https_port=free_port())
    await host.start()
    yield host
    await host.stop()


def ntlm_over_http(host: WindowsHost) -> WinrmSettings:
    return WinrmSettings(scheme="http", port=host.http_port, transport="ntlm")


def basic_over_https(host: WindowsHost, **settings: Any) -> WinrmSettings:
    chosen = {"transport": "basic", "fingerprint": host.fingerprint} | settings
    return WinrmSettings(scheme="https", port=host.https_port, **chosen)


def script(command: str, **fields: Any) -> WinrmExec:
    return WinrmExec.model_validate({"type": "winrm.exec", "command": command} | fields)


def a_context(
    settings: WinrmSettings,
    output: CollectedOutput,
    *,
    hostname: str = "127.0.0.1",
    username: str = USER,
    password: str = PASSWORD,
    secrets: Mapping[str, str] | None = None,
    parameters: Mapping[str, ParameterValue] | None = None,
    secret_parameters: frozenset[str] = frozenset(),
    still_mine: Any = lambda: None,
    artifacts: MemoryArtifacts | None = None,
) -> StepContext:
    target = TargetView(
        id=uuid4(), name="win-01", hostname=hostname, os="windows", winrm=settings, ssh=SshSettings()
    )
    credential = OpenedCredential(
        id=uuid4(), version=1, type="winrm", username=username, secrets=secrets or {"password": password}
    )
    return StepContext(
        run_id=uuid4(),
        task_id=uuid4(),
        attempt=1,
        step="step",
        target=target,
        credential=credential,
        parameters=parameters or {},
        secret_parameters=secret_parameters,
        output=output,
        still_mine=still_mine,
        artifacts=artifacts or MemoryArtifacts(),
    )


@dataclass
class Bench:
    """One plug-in and the attempts a test made with it; all of them are let go at the end."""

    settings: WinrmSettings
    plugin: WinrmExecPlugin = field(default_factory=lambda: WinrmExecPlugin(limits=PATIENT, threads=16))
    output: CollectedOutput = field(default_factory=CollectedOutput)
    attempts: list[Attempt] = field(default_factory=list)

    async def start(self, spec: WinrmExec, **context: Any) -> Attempt:
        attempt = await self.plugin.start(spec, a_context(self.settings, self.output, **context))
        self.attempts.append(attempt)
        return attempt

    async def resume(self, spec: WinrmExec, handle: Handle, **context: Any) -> Attempt:
        attempt = await self.plugin.resume(spec, a_context(self.settings, self.output, **context), handle)
        self.attempts.append(attempt)
        return attempt

    async def run(self, spec: WinrmExec | str, **context: Any) -> StepOutcome:
        """Start, follow and release; judged as the executor judges it."""
        spec = script(spec) if isinstance(spec, str) else spec
        attempt = await self.start(spec, **context)
        try:
            return self.judged(spec, await attempt.follow())
        finally:
            await attempt.release()

    def judged(self, spec: WinrmExec, ended: StepOutcome) -> StepOutcome:
        judge = Judge(spec)
        judge.see("stdout", self.output.stdout.decode("utf-8", "replace"))
        judge.see("stderr", self.output.stderr.decode("utf-8", "replace"))
        if self.output.incomplete:
            judge.gap("stdout")
        return judge.outcome(ended)

    async def close(self) -> None:
        for attempt in self.attempts:
            await attempt.detach()
        await self.plugin.close()


def in_a_hurry() -> WinrmExecPlugin:
    """For a test that waits for the end of a limit."""
    return WinrmExecPlugin(limits=QUICK, threads=16)


@pytest.fixture
async def hurried(windows_host: WindowsHost) -> AsyncIterator[Bench]:
    """The bench of a test that waits for the end of a limit."""
    bench = Bench(ntlm_over_http(windows_host), in_a_hurry())
    yield bench
    await bench.close()


@pytest.fixture
async def bench(windows_host: WindowsHost) -> AsyncIterator[Bench]:
    """Over http with NTLM, so that everything is sealed."""
    bench = Bench(ntlm_over_http(windows_host))
    yield bench
    await bench.close()
