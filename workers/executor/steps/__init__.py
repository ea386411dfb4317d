"""One plug-in per step type, one line each. A test checks that every type in contracts is here."""

from collections.abc import Mapping
from typing import Any

from workers.executor.steps.base import StepPlugin
from workers.executor.steps.ssh_exec import SshExecPlugin
from workers.executor.steps.wait import WaitPlugin
from workers.executor.steps.winrm_exec import WinrmExecPlugin


def all_plugins() -> Mapping[str, StepPlugin[Any]]:
    """A fresh set of plug-ins for one process."""
    plugins: tuple[StepPlugin[Any], ...] = (WinrmExecPlugin(), SshExecPlugin(), WaitPlugin())
    return {plugin.type: plugin for plugin in plugins}
