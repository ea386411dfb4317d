"""Fixtures of the executors' tests: hosts that speak the real protocols."""

from tests.support.ssh_servers import sshd_of_root, sshd_of_somebody
from tests.support.windows import bench, hurried, windows_host

__all__ = ["bench", "hurried", "sshd_of_root", "sshd_of_somebody", "windows_host"]
