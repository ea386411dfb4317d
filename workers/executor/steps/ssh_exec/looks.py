"""When to ask the wrapper for news. The end of a command comes unasked to whoever started it."""

import asyncio

from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.wire import Wire

FIRST = 0.25
"""Seconds before the first look, on a host with time to spare. What ends sooner is told of without one."""
FIRST_AT_MOST = 2.0
SOON = 0.05
AT_MOST = 0.5
"""Seconds between two looks: soon after output, then ever more rarely. A look costs no program start."""
ROUND_TRIPS = 4.0
"""Times what a look took, the next one waits at least: a busy host is left in peace."""
DAEMON_SECONDS = 0.8
"""How long an output is waited for that stays open after the script has ended."""


class Looks:
    """One look at a time; the next one after the last was answered."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._delay = max(FIRST, min(wire.round_trip * ROUND_TRIPS, FIRST_AT_MOST))
        self._asked_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._asked = False
        self._again = False
        self._exited_at: float | None = None

    def begin(self) -> None:
        self._schedule(self._delay)

    def now(self) -> None:
        """Look at once, or as soon as the look under way is answered."""
        if self._asked:
            self._again = True
        else:
            self._schedule(0.0)

    def answered(self, *, exited: bool, news: bool) -> None:
        self._asked = False
        if exited and self._exited_at is None:
            self._exited_at = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - self._asked_at
        quick = SOON if news or exited else min(self._delay * 1.5, AT_MOST)
        self._delay = max(quick, min(took * ROUND_TRIPS, AT_MOST))
        self._schedule(0.0 if self._again else self._delay)
        self._again = False

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self, delay: float) -> None:
        self.close()
        self._timer = asyncio.get_running_loop().call_later(delay, self._ask)

    def _ask(self) -> None:
        self._asked, self._asked_at = True, asyncio.get_running_loop().time()
        waited = self._exited_at is not None and (
            asyncio.get_running_loop().time() - self._exited_at >= DAEMON_SECONDS
        )
        try:
            self._wire.send("look last" if waited else "look")
        except ChannelClosed:
            # Whoever reads from the wire is told so, too.
            self.close()
