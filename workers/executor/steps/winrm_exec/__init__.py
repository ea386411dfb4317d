"""`winrm.exec`: one plug-in, split by topic."""

from workers.executor.steps.winrm.endpoint import Limits
from workers.executor.steps.winrm_exec.plugin import WinrmExecPlugin

__all__ = ["Limits", "WinrmExecPlugin"]
