"""`wait.reboot`: reboot a target once and wait until it has started anew."""

from workers.executor.steps.wait_reboot.plugin import WaitRebootPlugin

__all__ = ["WaitRebootPlugin"]
