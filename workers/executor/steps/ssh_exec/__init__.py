"""`ssh.exec`: run a shell script on a Linux or Unix machine."""

from workers.executor.steps.ssh_exec.plugin import SshExecPlugin

__all__ = ["SshExecPlugin"]
