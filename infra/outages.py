"""Telling an outage of the database or broker from a bug, and waiting it out behind one gate."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog
from aio_pika.exceptions import AMQPError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")

CONFLICT_STATES = frozenset({"40001", "40P01"})
OUTAGE_STATES = frozenset({"57P01", "57P02", "57P03", "53300", "55P03", "25P03", "53100", "53200", "25006"})
"""Among them a full disk, no memory, and a server that a failover has left as a copy to read from."""
GIVE_UP_SECONDS = 300.0
CONFLICT_TRIES = 10
FIRST_DELAY = 0.05
LONGEST_DELAY = 2.0
"""Seconds between probes: doubled from the one to the other."""

log = structlog.get_logger()


class StillDown(Exception):
    """The outage outlasted the patience of the gate; the work is found again by a look."""


def is_conflict(error: BaseException) -> bool:
    """Two transactions got into each other's way (deadlock, serialization): simply try again."""
    return _sqlstate(error) in CONFLICT_STATES


def is_outage(error: BaseException) -> bool:
    """The database or broker is not there just now: nothing is wrong with the work itself."""
    if isinstance(error, PoolTimeout | AMQPError | ConnectionError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    original = _original(error)
    if isinstance(original, asyncpg.PostgresConnectionError | asyncpg.CannotConnectNowError):
        return True
    if isinstance(original, OSError) and original.filename is None:
        return True  # what a socket says; an error about a named file is a bug or a wrong setting
    if isinstance(original, asyncpg.InterfaceError) and "closed" in str(original):
        return True
    state = _sqlstate(error)
    return state is not None and (state in OUTAGE_STATES or state.startswith("08"))


def _original(error: BaseException) -> BaseException:
    """The driver's error under SQLAlchemy's."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def _sqlstate(error: BaseException) -> str | None:
    state = getattr(_original(error), "sqlstate", None)
    return state if isinstance(state, str) else None


class Gate:
    """One per process: the first outage closes it, a probe opens it again, everybody waits in between."""

    def __init__(self, probe: Callable[[], Awaitable[object]]) -> None:
        self._probe = probe
        self._open = asyncio.Event()
        self._open.set()
        self._prober: asyncio.Task[None] | None = None
        self._delay = FIRST_DELAY
        self._opened_at = -math.inf

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    async def run(self, work: Callable[[], Awaitable[T]], *, patience: float = GIVE_UP_SECONDS) -> T:
        """The result of `work`, repeated through conflicts and outages.

        Raises `StillDown` when an outage lasts longer than `patience` seconds; bugs pass through at once.
        """
        deadline = asyncio.get_running_loop().time() + patience
        conflicts = 0
        while True:
            await self._wait_open(deadline)
            try:
                return await work()
            except Exception as error:
                if is_conflict(error) and conflicts < CONFLICT_TRIES:
                    conflicts += 1
                    await asyncio.sleep(random.uniform(0, 0.02 * conflicts))  # noqa: S311
                elif is_outage(error):
                    self._close(error)
                else:
                    raise

    async def _wait_open(self, deadline: float) -> None:
        if self._open.is_set():
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._open.wait()
        except TimeoutError:
            raise StillDown from None

    def _close(self, error: Exception) -> None:
        if self._open.is_set():
            log.warning("gate.closed", error=str(error)[:300])
            self._open.clear()
            # A probe may succeed where work does not, as on a full disk: then waiting goes on where it was.
            again = asyncio.get_running_loop().time() - self._opened_at < LONGEST_DELAY
            self._delay = min(self._delay * 2, LONGEST_DELAY) if again else FIRST_DELAY
            self._prober = asyncio.create_task(self._probe_until_up(), name="gate-prober")

    async def _probe_until_up(self) -> None:
        while True:
            await asyncio.sleep(self._delay * random.uniform(0.8, 1.2))  # noqa: S311
            try:
                await self._probe()
            except Exception as error:
                if not is_outage(error):
                    log.exception("gate.probe_failed")
                self._delay = min(self._delay * 2, LONGEST_DELAY)
            else:
                log.info("gate.opened")
                self._opened_at = asyncio.get_running_loop().time()
                self._open.set()
                return

    async def close(self) -> None:
        """Stop probing; the process ends."""
        if self._prober is not None:
            self._prober.cancel()
            await asyncio.gather(self._prober, return_exceptions=True)
