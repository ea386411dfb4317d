"""The same hosts as for commands: the sandbox host has no SFTP, the real servers do."""

from tests.executors.ssh_exec.conftest import demo, host

__all__ = ["demo", "host"]
