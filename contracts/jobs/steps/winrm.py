"""Steps on Windows machines, over WinRM."""

from typing import ClassVar, Literal

from contracts.jobs.steps.base import ExecSpec, Script


class WinrmExec(ExecSpec):
    """Run a PowerShell or cmd script on a Windows machine."""

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "winrm"

    type: Literal["winrm.exec"]
    command: Script
    shell: Literal["powershell", "pwsh", "cmd"] = "powershell"
    """`powershell`: Windows PowerShell 5.1; `pwsh`: PowerShell 7, where it is installed."""

    @property
    def notices(self) -> tuple[str, ...]:
        return () if self.shell == "cmd" else ("WARNING: ", "VERBOSE: ", "DEBUG: ")
