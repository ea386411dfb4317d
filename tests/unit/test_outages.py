"""Telling an outage from a bug, and waiting it out behind one gate."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aio_pika.exceptions
import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.broker import Unroutable
from infra.outages import Gate, StillDown, is_conflict, is_outage
from tests.support.eventually import eventually


class _DriverError(Exception):
    """What SQLAlchemy puts between its own error and the driver's."""


def wrapped(original: Exception, kind: type[DBAPIError] = DBAPIError) -> DBAPIError:
    translated = _DriverError(str(original))
    translated.__cause__ = original
    return kind("SELECT 1", {}, translated)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        TimeoutError(),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        OSError("Multiple exceptions: [Errno 111] …"),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        PoolTimeout(),
        aio_pika.exceptions.AMQPConnectionError(),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        wrapped(asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")),
        wrapped(asyncpg.InterfaceError("connection is closed")),
        wrapped(asyncpg.AdminShutdownError("terminating connection")),
        wrapped(asyncpg.TooManyConnectionsError("sorry, too many clients already")),
        wrapped(asyncpg.LockNotAvailableError("lock timeout")),
        wrapped(asyncpg.IdleInTransactionSessionTimeoutError("terminating connection")),
        wrapped(asyncpg.DiskFullError("could not extend file: No space left on device")),
        wrapped(asyncpg.OutOfMemoryError("out of memory")),
        wrapped(asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction")),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:60],
)
def test_what_is_not_there_just_now_is_an_outage(error: Exception) -> None:
    assert is_outage(error)
    assert not is_conflict(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/etc/missing.pem"),
        PermissionError(errno.EACCES, "Permission denied", "/etc/key.pem"),
        Unroutable("nobody is bound"),
        wrapped(asyncpg.UniqueViolationError("twice"), IntegrityError),
        wrapped(asyncpg.UndefinedTableError("no such table")),
        wrapped(asyncpg.InterfaceError("cannot perform operation: another operation is in progress")),
        wrapped(asyncpg.CharacterNotInRepertoireError("invalid byte sequence 0x00")),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:60],
)
def test_a_bug_is_no_outage(error: Exception) -> None:
    assert not is_outage(error)
    assert not is_conflict(error)


@pytest.mark.parametrize(
    "error", [asyncpg.SerializationError("x"), asyncpg.DeadlockDetectedError("x")], ids=["40001", "40P01"]
)
def test_a_conflict_is_simply_tried_again(error: Exception) -> None:
    assert is_conflict(wrapped(error))
    assert not is_outage(wrapped(error))


class Service:
    """Something that is up or down, and counts how often it was asked."""

    def __init__(self) -> None:
        self.up = True
        self.probes = 0
        self.calls = 0

    async def probe(self) -> None:
        self.probes += 1
        if not self.up:
            raise ConnectionRefusedError

    async def work(self) -> str:
        self.calls += 1
        if not self.up:
            raise ConnectionRefusedError
        return "done"


@pytest.fixture
async def service() -> Service:
    return Service()


@pytest.fixture
async def gate(service: Service) -> AsyncIterator[Gate]:
    gate = Gate(service.probe)
    yield gate
    await gate.close()


async def test_everybody_waits_while_one_probe_asks(service: Service, gate: Gate) -> None:
    service.up = False
    waiting = [asyncio.create_task(gate.run(service.work)) for _ in range(50)]
    await eventually(lambda: service.probes >= 2)
    called = service.calls
    assert not gate.is_open
    service.up = True

    assert await asyncio.gather(*waiting) == ["done"] * 50
    assert called == 1, "nobody tries before the probe says so"
    assert gate.is_open


async def test_an_outage_that_lasts_is_given_up(service: Service, gate: Gate) -> None:
    service.up = False

    with pytest.raises(StillDown):
        await gate.run(service.work, patience=0.2)


async def test_work_that_fails_behind_an_open_gate_is_given_up_too(gate: Gate) -> None:
    async def another_service_is_down() -> None:
        raise ConnectionRefusedError

    with pytest.raises(StillDown):
        await gate.run(another_service_is_down, patience=0.3)


async def test_work_that_fails_while_probes_succeed_is_tried_ever_less_often(
    service: Service, gate: Gate
) -> None:
    """As on a full disk, where reading goes on: hours of it must not fill the log."""
    calls = 0

    async def needs_room() -> None:
        nonlocal calls
        calls += 1
        raise OSError("no room")

    with pytest.raises(StillDown):
        await gate.run(needs_room, patience=1.5)

    assert calls <= 7, "0.05 s, then twice as long each time"


async def test_a_bug_passes_at_once(gate: Gate) -> None:
    calls = 0

    async def bug() -> None:
        nonlocal calls
        calls += 1
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await gate.run(bug)
    assert (calls, gate.is_open) == (1, True)


@pytest.mark.parametrize(("conflicts", "succeeds"), [(10, True), (11, False)])
async def test_conflicts_are_tried_again_ten_times(gate: Gate, *, conflicts: int, succeeds: bool) -> None:
    calls = 0

    async def deadlocks() -> str:
        nonlocal calls
        calls += 1
        if calls <= conflicts:
            raise wrapped(asyncpg.DeadlockDetectedError("x"))
        return "done"

    run: Callable[[], Awaitable[str]] = lambda: gate.run(deadlocks)  # noqa: E731
    if succeeds:
        assert await run() == "done"
    else:
        with pytest.raises(DBAPIError):
            await run()
