"""Open connections to one target under one credential, and what goes over them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import asyncssh

from workers.executor.steps.ssh_exec.carriers import Carrier
from workers.executor.steps.ssh_exec.parking import Parking

SESSIONS = 8
"""Attempts sharing one connection: sshd's MaxSessions is 10, and stopping one needs a session of its own."""
SPARE_SESSIONS = 2


@dataclass(eq=False, slots=True)
class Link:
    """One connection and the number of channels on it."""

    connection: asyncssh.SSHClientConnection
    carrier: Carrier | None = None
    room: int = SESSIONS + SPARE_SESSIONS
    channels: int = 0
    idle: asyncio.TimerHandle | None = None
    parking: Parking = field(default_factory=Parking)

    def takes(self, *, spare: bool) -> bool:
        return not self.connection.is_closed() and self.channels + self.parking.occupied < (
            self.room if spare else self.room - SPARE_SESSIONS
        )


@dataclass(eq=False, slots=True)
class Endpoint:
    """One target under one credential."""

    sessions: asyncio.Semaphore
    links: list[Link] = field(default_factory=list)
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    leases: int = 0
    rejections: int = 0


class Sftp:
    """An SFTP client; leaving the context gives its channel back."""

    def __init__(self, client: asyncssh.SFTPClient, on_closed: Callable[[], None]) -> None:
        self.client = client
        self._on_closed = on_closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.client.exit()
        self._on_closed()
