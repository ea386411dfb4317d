"""`winrm.copy`: one plug-in, split by topic."""

from workers.executor.steps.winrm_copy.plugin import WinrmCopyPlugin

__all__ = ["WinrmCopyPlugin"]
