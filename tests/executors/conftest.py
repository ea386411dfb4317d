"""Fixtures of the executors' tests: hosts that speak the real protocols."""

from tests.support.windows import bench, windows_host

__all__ = ["bench", "windows_host"]
