"""One command on every host of a fleet: how fast, and at what cost for the client."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.load.report import Row, middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """One command on every host."""

    per_second: float
    cpu_ms: float
    """Processor time of the client, per host."""


async def lap(errands: Sequence[Callable[[], Awaitable[None]]]) -> Lap:
    began, cpu = time.perf_counter(), cpu_seconds(resource.RUSAGE_SELF)
    await asyncio.gather(*(errand() for errand in errands))
    seconds = time.perf_counter() - began
    used = cpu_seconds(resource.RUSAGE_SELF) - cpu
    return Lap(per_second=len(errands) / seconds, cpu_ms=used * 1000 / len(errands))


def cpu_seconds(whose: int) -> float:
    """Processor time so far, of this process or of its children that have ended."""
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def speed(laps: Sequence[Lap]) -> float:
    return middle([one.per_second for one in laps])


def cost(laps: Sequence[Lap]) -> float:
    return middle([one.cpu_ms for one in laps])


def beside(name: str, mine: Sequence[Lap], other: Sequence[Lap]) -> tuple[Row, Row]:
    """Both rows of a comparison that nothing is promised about."""
    return (
        Row(name=name, unit="hosts/s", ours=speed(mine), baseline=speed(other)),
        Row(name="… processor time of the client", unit="ms/host", ours=cost(mine), baseline=cost(other)),
    )
