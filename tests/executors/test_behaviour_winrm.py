"""Every promise of the steps over WinRM, against the simulated Windows host."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from infra.sandbox.windows import WindowsHost
from tests.executors.behaviour import BEGUN
from tests.executors.going_away import GoesAway, LeavesHalves
from tests.executors.test_behaviour_ssh import PRINTS_NOTHING
from tests.support.artifacts import GatedArtifacts
from tests.support.lives import Scene, Step
from tests.support.outputs import CollectedOutput
from tests.support.windows import PATIENT, a_context, ntlm_over_http
from workers.executor.steps.base import StepPlugin
from workers.executor.steps.winrm_copy import WinrmCopyPlugin
from workers.executor.steps.winrm_exec import WinrmExecPlugin

GOES_ON_MS = 1_500
"""How long goes on what the simulated host is told to go on with: it has no gate to open."""


class OverWinrm(GoesAway):
    """What is known of a host that is reached over WinRM."""

    windows: WindowsHost
    artifacts: GatedArtifacts

    def plugin(self) -> StepPlugin[Any]:
        raise NotImplementedError

    @pytest.fixture
    async def scene(self, windows_host: WindowsHost) -> AsyncIterator[Scene]:
        self.windows, self.artifacts = windows_host, GatedArtifacts()
        context = a_context(ntlm_over_http(windows_host), CollectedOutput())
        scene = Scene(
            make=self.plugin,
            target=context.target,
            credential=context.credential,
            artifacts=self.artifacts,
            begun=lambda: self.artifacts.reached,
        )
        yield scene
        await scene.close()

    def tries_to_log_in(self) -> int | None:
        return sum(not accepted for _, _, accepted in self.windows.logins)

    async def left_behind(self) -> list[str]:
        parts = [path.name for path in self.windows.disk.root.rglob("*.part")]
        processes = [process.name for process in self.windows.processes]
        return [*self.windows.shells, *processes, *parts, *self.windows.machine.batch_files]

    def ran(self) -> int:
        """Without our own commands that remove a batch file."""
        return sum("ops-" not in entry.script for entry in self.windows.journal)


class TestWinrmPowerShell(OverWinrm):
    type = "winrm.exec"

    def plugin(self) -> WinrmExecPlugin:
        return WinrmExecPlugin(limits=PATIENT, threads=16)

    def works(self) -> Step:
        return {"command": "Start-Process child 600; hostname"}

    def fails(self) -> Step:
        return {"command": "Write-Output 'no'; exit 37"}

    def goes_on(self) -> Step:
        lines = ("Start-Process child 600", f"'{BEGUN.strip()}'", f"Start-Sleep -Milliseconds {GOES_ON_MS}")
        return {"command": "\n".join(lines)}

    def says(self, *parts: int | bytes) -> Step:
        lines = ["$o = [Console]::OpenStandardOutput()"]
        for part in parts:
            if isinstance(part, int):
                lines.append(f"[Console]::Out.Write('x' * {part})")
            else:
                lines.append(f"$o.Write([byte[]]({', '.join(map(str, part))}), 0, {len(part)})")
        return {"command": "\n".join(lines)}


class TestWinrmCmd(TestWinrmPowerShell):
    type = "winrm.exec"
    cannot: ClassVar = dict.fromkeys(
        (
            "test_long_output_is_bounded_and_said_to_be_cut",
            "test_nothing_is_lost_below_the_limit",
            "test_bytes_that_are_no_text_are_shown_without_harm",
            "test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut",
        ),
        "The simulated cmd writes neither chosen bytes nor much of anything; "
        "its output takes the same way as that of PowerShell.",
    )

    def works(self) -> Step:
        return {"command": "hostname", "shell": "cmd"}

    def fails(self) -> Step:
        return {"command": "echo no\nexit /b 37", "shell": "cmd"}

    def goes_on(self) -> Step:
        return {"command": f"echo {BEGUN.strip()}\nping -n 3 127.0.0.1 >nul", "shell": "cmd"}


class TestWinrmCopy(LeavesHalves, OverWinrm):
    type = "winrm.copy"
    fails_with = "path_missing"
    cannot: ClassVar = PRINTS_NOTHING
    dest: ClassVar = r"C:\Temp\copied.bin"

    def plugin(self) -> WinrmCopyPlugin:
        return WinrmCopyPlugin(threads=8, limits=PATIENT)

    def works(self) -> Step:
        return {"content_base64": "aGVsbG8K", "dest": self.dest}

    def fails(self) -> Step:
        return {"direction": "download", "src": r"C:\Temp\no-such-file"}

    def goes_on(self) -> Step:
        return {"src": str(self.artifacts.held_back().id), "dest": self.dest}

    async def let_end(self) -> None:
        self.artifacts.gate.set()

    def ran(self) -> int:
        return int(self.windows.disk.path(self.dest).exists())
