"""The sessions on one connection: which are in use, and which wait for their next attempt."""

import asyncio
from dataclasses import dataclass

from workers.executor.steps.ssh_exec.channel import Channel

PARKED_SECONDS = 60.0
"""How long after its start a session may be used again: what it took from the account's login gets old."""


@dataclass(eq=False, slots=True)
class _Session:
    until: float
    parked: bool = False
    waiting_as: str | None = None
    """The command in it, when that waits for more."""
    expiry: asyncio.TimerHandle | None = None


class Parking:
    """A session is in use from `opened` until it is parked or closed, and again once it was taken."""

    def __init__(self) -> None:
        self._sessions: dict[Channel, _Session] = {}

    @property
    def occupied(self) -> int:
        """Sessions that nobody uses, but the host still counts."""
        return sum(session.parked for session in self._sessions.values())

    def opened(self, channel: Channel) -> None:
        self._sessions[channel] = _Session(asyncio.get_running_loop().time() + PARKED_SECONDS)

    def closed(self, channel: Channel) -> bool:
        """Forget it; whether it was in use."""
        session = self._sessions.pop(channel, None)
        if session is None:
            return False
        _disarm(session)
        return not session.parked

    def park(self, channel: Channel, command: str) -> bool:
        """Nobody uses it now; False when it does not belong here. One that is too old is closed."""
        session = self._sessions.get(channel)
        if session is None:
            return False
        loop = asyncio.get_running_loop()
        session.parked = True
        if channel.silent and loop.time() < session.until:
            session.waiting_as = command
            session.expiry = loop.call_at(session.until, self._expire, channel)
        else:
            self._expire(channel)
        return True

    def take(self, command: str) -> Channel | None:
        """One in which `command` waits; whoever takes it uses it."""
        for channel, session in list(self._sessions.items()):
            if session.waiting_as != command:
                continue
            if not channel.silent:
                # It said something nobody asked for.
                self._expire(channel)
                continue
            _disarm(session)
            session.parked, session.waiting_as = False, None
            return channel
        return None

    def _expire(self, channel: Channel) -> None:
        session = self._sessions[channel]
        _disarm(session)
        session.waiting_as = None
        channel.close()


def _disarm(session: _Session) -> None:
    if session.expiry is not None:
        session.expiry.cancel()
        session.expiry = None
