"""How much work comes and goes, and how deep queues were lately. The broker's protocol tells neither."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import topology
from infra.clock import now
from infra.ids import first_id_at
from infra.outages import is_outage

SAMPLE_SECONDS = 15.0
SAMPLES = 240
"""An hour."""
RATE_MINUTES = 5
LOOK_BACK = timedelta(hours=1)
"""Work that was asked for longer ago than this and begins only now is not counted."""
COUNTED = 100_000

_FLOW = text(f"""
    SELECT CAST(:start AS text) AS queue, count(*) FILTER (WHERE id >= :since_id) AS arrived,
           count(*) FILTER (WHERE started_at >= :since) AS begun
      FROM (SELECT id, started_at FROM runs WHERE id >= :oldest_id ORDER BY id DESC LIMIT {COUNTED}) AS latest
    UNION ALL
    SELECT CAST(:execute AS text) || '.' || pool, count(*) FILTER (WHERE id >= :since_id),
           count(*) FILTER (WHERE started_at >= :since)
      FROM (SELECT id, pool, started_at FROM tasks WHERE id >= :oldest_id ORDER BY id DESC LIMIT {COUNTED})
           AS latest GROUP BY pool
    UNION ALL
    SELECT CAST(:test AS text) || '.' || pool, count(*) FILTER (WHERE id >= :since_id),
           count(*) FILTER (WHERE started_at >= :since)
      FROM (SELECT id, pool, started_at FROM connection_tests WHERE id >= :oldest_id
             ORDER BY id DESC LIMIT {COUNTED}) AS latest GROUP BY pool
""")  # noqa: S608  (constants)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Flow:
    """Pieces of work per minute, over the last five: asked for, and begun."""

    arriving: float
    begun: float


STILL = Flow(0.0, 0.0)


async def read_flow(session: AsyncSession) -> dict[str, Flow]:
    """The work behind each queue that has any in the last hour."""
    moment = now()
    since = moment - timedelta(minutes=RATE_MINUTES)
    values = {
        "start": topology.START_RUN.name,
        "execute": topology.EXECUTE_TASKS.name,
        "test": topology.TEST_CONNECTIONS.name,
        "since": since,
        "since_id": first_id_at(since),
        "oldest_id": first_id_at(moment - LOOK_BACK),
    }
    rows = await session.execute(_FLOW, values)
    return {row.queue: Flow(row.arrived / RATE_MINUTES, row.begun / RATE_MINUTES) for row in rows}


class Counted(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def depth(self) -> int | None: ...


class DepthHistory:
    """What the broker counted in the last hour, as long as this process lives."""

    def __init__(self, depths: Callable[[], Awaitable[Sequence[Counted]]]) -> None:
        self._depths = depths
        self._samples: deque[dict[str, int | None]] = deque(maxlen=SAMPLES)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await self.sample()
            await asyncio.sleep(SAMPLE_SECONDS)

    async def sample(self) -> None:
        """Add what the broker counts now; while nobody can ask it, an empty sample keeps the place."""
        try:
            self._samples.append({queue.name: queue.depth for queue in await self._depths()})
        except Exception as error:
            self._samples.append({})
            if not is_outage(error) and not isinstance(error, OSError | TimeoutError):
                log.exception("queues.sample_failed")

    def of(self, queue: str) -> list[int | None]:
        """Its depths, the oldest first; null where nobody knows."""
        return [sample.get(queue) for sample in self._samples]
