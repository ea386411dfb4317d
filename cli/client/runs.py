"""What commands do with runs through the API."""

import asyncio
from collections.abc import Callable
from typing import Any

from cli.client.api import Api
from cli.client.problems import Unreachable
from cli.client.stream import GIVE_UP_SECONDS
from contracts.runs.states import RUN_TERMINAL

POLL_SECONDS = 0.3
TERMINAL = frozenset(status.value for status in RUN_TERMINAL)
BAD_TASKS = ("failed", "timed_out", "unknown", "cancelled")


async def until_ended(
    api: Api, run_id: str, seen: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    """The run, once it has ended; `seen` gets it each time it is looked at. A gateway away is waited for."""
    away_since = None
    loop = asyncio.get_running_loop()
    while True:
        try:
            run: dict[str, Any] = await api.get(f"/api/v1/runs/{run_id}")
        except Unreachable:
            away_since = away_since or loop.time()
            if loop.time() - away_since > GIVE_UP_SECONDS:
                raise
        else:
            away_since = None
            seen(run)
            if run["status"] in TERMINAL:
                return run
        await asyncio.sleep(POLL_SECONDS)
