"""Open SSH connections, shared by the attempts of one credential on one target."""

import asyncio
from collections.abc import Hashable
from uuid import UUID

import asyncssh

from workers.executor.steps.base import (
    OpenedCredential,
    StepContext,
    StepFault,
    TargetView,
)
from workers.executor.steps.logging_in import Logins, NobodyElse
from workers.executor.steps.ssh_exec.carriers import Carriers, path_of
from workers.executor.steps.ssh_exec.channel import WINDOW, Channel
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.links import SPARE_SESSIONS, Endpoint, Link, Sftp
from workers.executor.steps.ssh_exec.logins import log_in


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
        self.run_id: UUID | None = None
        self.restarting = False
        """As in the step's context."""

    async def open(self, command: str, *, spare: bool = False) -> Channel:
        """Run `command` on a channel of its own; `spare` for the one that stops another.

        Raises `StepFault` when the host cannot be reached or does not let us in.
        """
        return await self._connections.open(self, self._endpoint, command, spare=spare)

    def take_parked(self, command: str) -> Channel | None:
        """A channel in which `command` waits for more, if there is one."""
        return self._connections.take_parked(self._endpoint, command)

    def park(self, channel: Channel, command: str) -> None:
        """Let others take the channel, in which `command` waits for more."""
        self._connections.park(self._endpoint, channel, command)

    async def open_sftp(self) -> "Sftp | None":
        """SFTP on a channel of its own; None where the host has none. Raises `StepFault` as `open` does."""
        return await self._connections.open_sftp(self, self._endpoint)

    def release(self) -> None:
        if self._held:
            self._held = False
            self._connections.give_back(self._endpoint)


class Connections:
    """Opens connections, shares them, closes them when they have been idle for `idle_seconds`."""

    def __init__(
        self, *, connect_seconds: float = 10.0, idle_seconds: float = 60.0, logins: Logins | None = None
    ) -> None:
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._logins = logins or NobodyElse()
        self._endpoints: dict[Hashable, Endpoint] = {}
        self._carriers = Carriers(
            connect_seconds=connect_seconds, idle_seconds=idle_seconds, logins=self._logins
        )

    async def lease_for(self, context: StepContext) -> Lease:
        """The same for the target and the credential of a step. Raises `StepFault` when one is missing."""
        if context.target is None:
            raise StepFault("target_missing")
        if context.credential is None:
            raise fault("credential_missing", context.target, None)
        return await self._lease(context, context.target, context.credential)

    async def _lease(self, context: StepContext, target: TargetView, credential: OpenedCredential) -> Lease:
        """Wait for a free session of this credential on this target (`max_concurrent`)."""
        key = path_of(target, credential)
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
        lease = Lease(self, endpoint, target, credential)
        lease.run_id, lease.restarting = context.run_id, context.restarting
        return lease

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
        await self._carriers.close()

    async def open(self, lease: Lease, endpoint: Endpoint, command: str, *, spare: bool) -> Channel:
        reason: object = ""
        for _ in range(3):
            link = await self._link(lease, endpoint, spare=spare)
            try:
                async with asyncio.timeout(self._connect_seconds):
                    return await self._open_on(link, endpoint, command)
            except asyncssh.ChannelOpenError as error:
                # The host allows fewer sessions on one connection than we thought.
                occupied = link.channels + link.parking.occupied
                link.room = occupied + (0 if spare else SPARE_SESSIONS)
                reason = error.reason
            except (asyncssh.Error, OSError) as error:
                # A connection that has been lying idle may be dead without our having been told.
                self._discard(endpoint, link)
                reason = error
        raise fault("unreachable", lease.target, lease.credential, reason or "no answer in time")

    def take_parked(self, endpoint: Endpoint, command: str) -> Channel | None:
        for link in endpoint.links:
            if not link.connection.is_closed() and (channel := link.parking.take(command)):
                self._taken(link)
                return channel
        return None

    def park(self, endpoint: Endpoint, channel: Channel, command: str) -> None:
        for link in endpoint.links:
            if link.parking.park(channel, command):
                self._left(endpoint, link)
                return
        channel.close()

    async def open_sftp(self, lease: Lease, endpoint: Endpoint) -> Sftp | None:
        link = await self._link(lease, endpoint, spare=True)
        try:
            async with asyncio.timeout(self._connect_seconds):
                client = await link.connection.start_sftp_client()
        except (asyncssh.Error, OSError):
            # No such subsystem, or no room for another channel: the shell's own channel will do.
            self._left(endpoint, link)
            return None
        except BaseException:
            self._left(endpoint, link)
            raise
        return Sftp(client, lambda: self._left(endpoint, link))

    async def _link(self, lease: Lease, endpoint: Endpoint, *, spare: bool) -> Link:
        for link in endpoint.links:
            if link.takes(spare=spare):
                return self._taken(link)
        rejections = endpoint.rejections
        async with endpoint.connecting:
            for link in endpoint.links:
                if link.takes(spare=spare):
                    return self._taken(link)
            if endpoint.rejections != rejections:
                # Whoever waited while another was turned away must not knock with the same secret.
                raise fault("credential_held", lease.target, lease.credential, "it was rejected just now")
            try:
                link = await self._logged_in(lease)
            except StepFault as missed:
                endpoint.rejections += missed.cause.code == "auth_rejected"
                raise
            endpoint.links.append(link)
            return self._taken(link)

    async def _logged_in(self, lease: Lease) -> Link:
        target, credential = lease.target, lease.credential
        logins = NobodyElse() if lease.restarting else self._logins
        carrier = await self._carriers.board(target, run_id=lease.run_id)
        try:
            tunnel = carrier.connection if carrier else None
            async with logins.first(target, credential, run_id=lease.run_id):
                connection = await log_in(target, credential, time_limit=self._connect_seconds, tunnel=tunnel)
            return Link(connection, carrier)
        except BaseException:
            self._carriers.leave(carrier)
            raise

    @staticmethod
    def _taken(link: Link) -> Link:
        link.channels += 1
        if link.idle is not None:
            link.idle.cancel()
            link.idle = None
        return link

    async def _open_on(self, link: Link, endpoint: Endpoint, command: str) -> Channel:
        def on_closed() -> None:
            if link.parking.closed(channel):
                self._left(endpoint, link)

        channel = Channel(on_closed)
        link.parking.opened(channel)
        try:
            await link.connection.create_session(
                lambda: channel, command, encoding=None, request_pty=False, window=WINDOW
            )
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
        carrier, link.carrier = link.carrier, None
        self._carriers.leave(carrier)

    def _forget_unused(self) -> None:
        unused = [
            key for key, endpoint in self._endpoints.items() if not endpoint.leases and not endpoint.links
        ]
        for key in unused:
            del self._endpoints[key]
