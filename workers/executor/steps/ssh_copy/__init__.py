"""`ssh.copy`: bring a file or folder to a Linux or Unix machine, or fetch one from it."""

from workers.executor.steps.ssh_copy.plugin import SshCopyPlugin

__all__ = ["SshCopyPlugin"]
