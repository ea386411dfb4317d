"""An SSH host that can be rebooted: that ends all it runs, and its next start has another id."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

from infra.sandbox.ssh_host import SshHost, new_host_key
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.ssh import Reachable

HARMLESS = ("systemctl", "shutdown", "reboot", "sudo")
"""Programs that would reach the real machine; each must be ours."""


@dataclass
class Rebootable:
    """The host, how often it was ordered to reboot, and when it goes down and comes back."""

    reachable: Reachable
    folder: Path
    host: SshHost
    goes_down: asyncio.Event = field(default_factory=asyncio.Event)
    comes_back: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def orders(self) -> int:
        orders = self.folder / "orders"
        return len(orders.read_text().splitlines()) if orders.exists() else 0

    def new_start(self) -> str:
        mark = str(uuid4())
        (self.folder / "boot_id").write_text(mark)
        return mark

    def _was_ordered(self, times: int) -> bool:
        return self.orders >= times

    async def live(self) -> None:
        """Do what was ordered, for ever."""
        done = 0
        while True:
            done += 1
            await eventually(partial(self._was_ordered, done), within=300)
            await self.goes_down.wait()
            await self.host.stop()
            await self.comes_back.wait()
            self.new_start()
            await self.host.start()


@asynccontextmanager
async def a_rebootable_host(folder: Path, *, obeys: bool = True) -> AsyncIterator[Rebootable]:
    """Goes down and comes back at once unless a test clears its events. Without `obeys` it refuses."""
    programs, home = folder / "programs", folder / "home"
    programs.mkdir()
    home.mkdir()
    order = f'echo "$0 $*" >>{folder}/orders' if obeys else "echo you may not >&2; exit 1"
    texts = dict.fromkeys(HARMLESS, order) | {
        "sysctl": f'[ "$2" = kernel.random.boot_id ] && cat {folder}/boot_id'
    }
    for name, text in texts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    host = SshHost(
        "demo",
        "sandbox-password",
        port=free_port(),
        host_key=new_host_key(),
        home=home,
        programs=programs,
    )
    await host.start()
    reachable = Reachable(
        port=host.port,
        host_key=host.host_key_public,
        username="demo",
        secrets={"password": "sandbox-password"},
        home=home,
    )
    found = Rebootable(reachable, folder, host)
    found.new_start()
    found.goes_down.set()
    found.comes_back.set()
    living = asyncio.create_task(found.live())
    try:
        yield found
    finally:
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
        await host.stop()
