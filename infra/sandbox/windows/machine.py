"""The simulated hardware: when it was started, what is in it, and how it is restarted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.clock import now

GIB = 1024**3
UP_SINCE_HOURS = 30


class Machine:
    """What CIM classes tell of the host. `restart` is called when a reboot that was ordered is due."""

    def __init__(self, name: str, restart: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.booted_at = now() - timedelta(hours=UP_SINCE_HOURS)
        self.orders = 0
        """How often a reboot was ordered."""
        self.batch_files: set[str] = set()
        """Names of the batch files that runners of cmd scripts have in the temporary folder."""
        self._restart = restart
        self._restarting: asyncio.Task[None] | None = None

    def order_reboot(self, seconds: float) -> None:
        """In so many seconds. Ordering again while one is due changes nothing."""
        self.orders += 1
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.create_task(self._reboot(seconds), name="simulated reboot")

    async def _reboot(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._restart()
        self.booted_at = now()

    async def settle(self) -> None:
        """Wait for a restart that is under way."""
        if self._restarting is not None:
            await asyncio.gather(self._restarting, return_exceptions=True)

    def instances(self, class_name: str) -> list[Mapping[str, Any]] | None:
        """All instances of a CIM class; None for one that is not simulated."""
        tables: Mapping[str, list[Mapping[str, Any]]] = {
            "win32_operatingsystem": [self._operating_system()],
            "win32_computersystem": [
                {
                    "Name": self.name,
                    "PartOfDomain": True,
                    "Domain": "corp.test",
                    "NumberOfLogicalProcessors": 4,
                    "TotalPhysicalMemory": 8 * GIB,
                }
            ],
            "win32_logicaldisk": [
                {"DeviceID": "C:", "Size": 64 * GIB, "FreeSpace": 20 * GIB, "FileSystem": "NTFS"},
                {"DeviceID": "D:", "Size": 128 * GIB, "FreeSpace": 2 * GIB, "FileSystem": "ReFS"},
            ],
            "win32_networkadapterconfiguration": [{"IPAddress": ["10.1.2.3", "fd00::3"]}],
        }
        return tables.get(class_name.lower())

    def _operating_system(self) -> Mapping[str, Any]:
        when: Mapping[str, datetime] = {"LastBootUpTime": self.booted_at, "LocalDateTime": now()}
        return {
            "Caption": "Microsoft Windows Server 2022 Datacenter (simulated)",
            "Version": "10.0.20348",
            "BuildNumber": "20348",
            **when,
        }
