"""One plug-in per step type, one line each. A test checks that every type in contracts is here."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.egress import AddressRule, Egress
from workers.executor.steps.base import StepPlugin
from workers.executor.steps.facts import FactsPlugin
from workers.executor.steps.http_request import HttpRequestPlugin
from workers.executor.steps.logging_in import Logins
from workers.executor.steps.remote import Remote
from workers.executor.steps.ssh_copy import SshCopyPlugin
from workers.executor.steps.ssh_exec import Connections, SshExecPlugin, SshScriptPlugin
from workers.executor.steps.wait import WaitPlugin
from workers.executor.steps.wait_port import WaitPortPlugin
from workers.executor.steps.wait_reboot import WaitRebootPlugin
from workers.executor.steps.winrm_copy import WinrmCopyPlugin
from workers.executor.steps.winrm_exec import WinrmExecPlugin


def all_plugins(
    *, egress_allow: Sequence[str] = (), logins: Logins | None = None
) -> Mapping[str, StepPlugin[Any]]:
    """A fresh set of plug-ins for one process. HTTP goes to public addresses and those in `egress_allow`."""
    ssh, egress = Connections(logins=logins), Egress(AddressRule(egress_allow))
    ssh_exec, winrm_exec = SshExecPlugin(ssh), WinrmExecPlugin()
    remote = Remote(ssh=ssh_exec, winrm=winrm_exec)
    plugins: tuple[StepPlugin[Any], ...] = (
        winrm_exec,
        WinrmCopyPlugin(),
        ssh_exec,
        SshScriptPlugin(ssh),
        SshCopyPlugin(ssh),
        HttpRequestPlugin(egress),
        FactsPlugin(remote),
        WaitPlugin(),
        WaitPortPlugin(egress),
        WaitRebootPlugin(remote),
    )
    return {plugin.type: plugin for plugin in plugins}
