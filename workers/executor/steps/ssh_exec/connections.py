"""Open SSH connections, shared by the attempts of one credential on one target."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field

import asyncssh

from workers.executor.steps.base import OpenedCredential, TargetView
from workers.executor.steps.ssh_exec.channel import Channel
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.logins import log_in

SESSIONS = 8
"""Attempts sharing one connection: sshd's MaxSessions is 10, and stopping one needs a session of its own."""
SPARE_SESSIONS = 2


@dataclass(eq=False, slots=True)
class Link:
    """One connection and the number of channels on it."""

    connection: asyncssh.SSHClientConnection
    room: int = SESSIONS + SPARE_SESSIONS
    channels: int = 0
    idle: asyncio.TimerHandle | None = None

    def takes(self, *, spare: bool) -> bool:
        return not self.connection.is_closed() and self.channels < (
            self.room if spare else self.room - SPARE_SESSIONS
        )


@dataclass(eq=False, slots=True)
class Endpoint:
    """One target under one credential."""

    sessions: asyncio.Semaphore
    links: list[Link] = field(default_factory=list)
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    leases: int = 0


class Lease:
    """The right to one session on a target, from the start of an attempt to its end."""

    def __init__(
        self, connections: "Connections", endpoint: Endpoint, target: TargetView, credential: OpenedCredential
    ) -> None:
        self.target = target
        self.credential = credential
        self._connections = connections
        self._endpoint = endpoint
        self._held = True

    async def open(self, command: str, *, spare: bool = False) -> Channel:
        """Run `command` on a channel of its own; `spare` for the one that stops another.

        Raises `StepFault` when the host cannot be reached or does not let us in.
        """
        return await self._connections.open(self, self._endpoint, command, spare=spare)

    def release(self) -> None:
        if self._held:
            self._held = False
            self._connections.give_back(self._endpoint)


class Connections:
    """Opens connections, shares them, closes them when they have been idle for `idle_seconds`."""

    def __init__(self, *, connect_seconds: float = 10.0, idle_seconds: float = 60.0) -> None:
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._endpoints: dict[Hashable, Endpoint] = {}

    async def lease(self, target: TargetView, credential: OpenedCredential) -> Lease:
        """Wait for a free session of this credential on this target (`max_concurrent`)."""
        key = (target.id, target.hostname, target.ssh, credential.id, credential.version, credential.username)
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            self._forget_unused()
            endpoint = self._endpoints[key] = Endpoint(asyncio.Semaphore(target.ssh.max_concurrent))
        endpoint.leases += 1
        try:
            await endpoint.sessions.acquire()
        except BaseException:
            endpoint.leases -= 1
            raise
        return Lease(self, endpoint, target, credential)

    def give_back(self, endpoint: Endpoint) -> None:
        endpoint.leases -= 1
        endpoint.sessions.release()

    async def close(self) -> None:
        """Close every connection."""
        links = [link for endpoint in self._endpoints.values() for link in endpoint.links]
        self._endpoints.clear()
        for link in links:
            if link.idle is not None:
                link.idle.cancel()
            link.connection.close()
        for link in links:
            await link.connection.wait_closed()

    async def open(self, lease: Lease, endpoint: Endpoint, command: str, *, spare: bool) -> Channel:
        reason: object = ""
        for _ in range(3):
            link = await self._link(lease, endpoint, spare=spare)
            try:
                async with asyncio.timeout(self._connect_seconds):
                    return await self._open_on(link, endpoint, command)
            except asyncssh.ChannelOpenError as error:
                # The host allows fewer sessions on one connection than we thought.
                link.room = link.channels + (0 if spare else SPARE_SESSIONS)
                reason = error.reason
            except (asyncssh.Error, OSError) as error:
                # A connection that has been lying idle may be dead without our having been told.
                self._discard(endpoint, link)
                reason = error
        raise fault("unreachable", lease.target, lease.credential, reason or "no answer in time")

    async def _link(self, lease: Lease, endpoint: Endpoint, *, spare: bool) -> Link:
        for link in endpoint.links:
            if link.takes(spare=spare):
                return self._taken(link)
        async with endpoint.connecting:
            for link in endpoint.links:
                if link.takes(spare=spare):
                    return self._taken(link)
            connection = await log_in(lease.target, lease.credential, time_limit=self._connect_seconds)
            link = Link(connection)
            endpoint.links.append(link)
            return self._taken(link)

    @staticmethod
    def _taken(link: Link) -> Link:
        link.channels += 1
        if link.idle is not None:
            link.idle.cancel()
            link.idle = None
        return link

    async def _open_on(self, link: Link, endpoint: Endpoint, command: str) -> Channel:
        closed = False

        def on_closed() -> None:
            nonlocal closed
            if not closed:
                closed = True
                self._left(endpoint, link)

        try:
            channel = Channel(on_closed)
            await link.connection.create_session(lambda: channel, command, encoding=None, request_pty=False)
        except BaseException:
            on_closed()
            raise
        return channel

    def _left(self, endpoint: Endpoint, link: Link) -> None:
        link.channels -= 1
        if link.connection.is_closed():
            self._discard(endpoint, link)
        elif link.channels == 0 and link in endpoint.links:
            loop = asyncio.get_running_loop()
            link.idle = loop.call_later(self._idle_seconds, self._discard, endpoint, link)

    def _discard(self, endpoint: Endpoint, link: Link) -> None:
        if link in endpoint.links:
            endpoint.links.remove(link)
        if link.idle is not None:
            link.idle.cancel()
            link.idle = None
        link.connection.close()

    def _forget_unused(self) -> None:
        unused = [
            key for key, endpoint in self._endpoints.items() if not endpoint.leases and not endpoint.links
        ]
        for key in unused:
            del self._endpoints[key]
