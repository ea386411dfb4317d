"""Following a run: its events in order, each once, however often the connection breaks."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx2

from cli.client.api import Api
from cli.client.lines import LineAssembler, OutputLine
from cli.client.problems import UNAVAILABLE, ApiProblem, Unreachable
from cli.client.tokens import UNAUTHENTICATED
from contracts.runs.states import RUN_TERMINAL

FIRST_DELAY = 0.2
LONGEST_DELAY = 3.0
GIVE_UP_SECONDS = 120.0
"""How long a gateway may be away before following it is given up; the run goes on without us."""

_TERMINAL = frozenset(status.value for status in RUN_TERMINAL)


@dataclass(frozen=True, slots=True)
class Event:
    """One frame. `name` is `output`, `tasks`, `run`, `delayed` or `reset`."""

    name: str
    data: dict[str, Any]


@dataclass(slots=True)
class _Outage:
    """How long nothing was heard, and when to ask again."""

    since: float | None = None
    delay: float = FIRST_DELAY

    def over(self) -> None:
        self.since, self.delay = None, FIRST_DELAY


@dataclass(slots=True)
class RunStream:
    """The events of one run until it has ended. `note` hears of broken and mended connections."""

    api: Api
    run_id: str
    note: Callable[[str], None]
    _last_id: str = ""
    _outage: _Outage = field(default_factory=_Outage)

    async def events(self) -> AsyncGenerator[Event]:
        """Ends with the event `run` that tells how the run ended; raises `Unreachable` after two minutes."""
        while True:
            try:
                async with aclosing(self._connected()) as connected:
                    async for event in connected:
                        yield event
                        if event.name == "run" and event.data.get("status") in _TERMINAL:
                            return
                why = "the gateway ended the stream"
            except httpx2.TransportError as error:
                why = str(error) or type(error).__name__
            except ApiProblem as problem:
                if problem.status not in {UNAUTHENTICATED, *UNAVAILABLE}:
                    raise
                why = str(problem)
            await self._wait(why)

    async def _connected(self) -> AsyncGenerator[Event]:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        async with self.api.streaming(f"/api/v1/runs/{self.run_id}/events", headers=headers) as answer:
            if self._outage.since is not None:
                self.note("Connected again.")
            self._outage.over()
            async for frame in httpx2.EventSource(answer):
                yield Event(frame.event, json.loads(frame.data))
                self._last_id = frame.id or self._last_id

    async def _wait(self, why: str) -> None:
        now, outage = asyncio.get_running_loop().time(), self._outage
        if outage.since is None:
            outage.since = now
            self.note(f"The connection broke ({why}). The run goes on; trying again …")
        elif now - outage.since > GIVE_UP_SECONDS:
            raise Unreachable(self.api.url, why)
        await asyncio.sleep(outage.delay)
        outage.delay = min(outage.delay * 2, LONGEST_DELAY)


async def follow(
    api: Api, run_id: str, *, show: Callable[[OutputLine], None], note: Callable[[str], None]
) -> str:
    """Hand on every line of the run's output exactly once; returns the status it ended with."""
    lines = LineAssembler()
    status = "unknown"
    async with aclosing(RunStream(api, run_id, note).events()) as events:
        async for event in events:
            if event.name == "output":
                for line in lines.feed(event.data):
                    show(line)
            elif event.name == "run":
                status = str(event.data.get("status", status))
    for line in lines.end():
        show(line)
    return status
