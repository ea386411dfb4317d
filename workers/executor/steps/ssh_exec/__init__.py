"""`ssh.exec` and `ssh.script`: run a script on a Linux or Unix machine."""

from workers.executor.steps.ssh_exec.connections import Connections
from workers.executor.steps.ssh_exec.plugin import SshExecPlugin, SshScriptPlugin

__all__ = ["Connections", "SshExecPlugin", "SshScriptPlugin"]
