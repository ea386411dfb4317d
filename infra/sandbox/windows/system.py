"""What a simulated program sees of its machine: streams, environment, services, child processes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from infra.sandbox.windows.disk import Disk
from infra.sandbox.windows.machine import Machine
from infra.sandbox.windows.services import ServiceTable
from infra.sandbox.windows.shells import Process

NUMBER = re.compile(r"\d+")
HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """`environment` has its names in upper case: they are case-insensitive on Windows."""

    computer: str
    user: str
    folder: str
    environment: dict[str, str]
    services: ServiceTable
    machine: Machine
    disk: Disk
    spawn: Callable[[str, float], Process]
    processes: Callable[[], list[Process]]
    write: Callable[[str, bytes], Awaitable[None]]
    stdin: bytes = b""
    console: asyncio.StreamReader | None = None
    """Where a program reads from instead of `stdin`, when the client itself feeds it."""

    async def read_all(self) -> bytes:
        """Everything on the standard input, up to its end."""
        return self.stdin if self.console is None else await self.console.read()

    def start_process(self, words: list[str]) -> Process:
        """A child that lives as many seconds as the last number among `words` says, or an hour."""
        numbers = [int(found) for word in words[1:] for found in NUMBER.findall(word)]
        return self.spawn(words[0], float(numbers[-1]) if numbers else HOUR)


async def ping_seconds(words: list[str]) -> int:
    """`ping -n N host` waits a second between two pings; returns how many it sent."""
    count = int(words[words.index("-n") + 1]) if "-n" in words[:-1] else 4
    await asyncio.sleep(max(0, count - 1))
    return count
