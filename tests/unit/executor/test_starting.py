"""An attempt that is told to stop while it is being got ready."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.jobs.steps import StepSpec
from tests.support.eventually import eventually
from tests.support.ledger import MemoryLedger
from tests.unit.executor.test_running import Acted, Plugin, an_attempt
from workers.executor.running import RunningAttempt
from workers.executor.steps.base import StepContext


async def never(context: StepContext) -> int:
    raise AssertionError("the target was let act")


@dataclass
class SlowPlugin(Plugin):
    """Waits for room on its target; what it made there is taken back when it is called off."""

    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    left_behind: int = 0

    async def start(self, spec: StepSpec, context: StepContext) -> Acted:
        self.left_behind += 1
        self.waiting.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.left_behind -= 1
        raise AssertionError("nobody waits that long")


def a_slow_start(ledger: MemoryLedger, **step: Any) -> tuple[RunningAttempt, SlowPlugin]:
    attempt = an_attempt(ledger, never, **step)
    plugin = SlowPlugin(never)
    attempt._around.plugins["ssh.exec"] = plugin  # type: ignore[index]
    return attempt, plugin


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("cancelled", ("cancelled", "cancelled")),
        ("worker_shutdown", ("failed", "worker_shutdown")),
        ("let_go", None),
    ],
)
async def test_a_start_that_waits_for_room_is_called_off_at_once(reason: Any, verdict: object) -> None:
    ledger = MemoryLedger()
    attempt, plugin = a_slow_start(ledger)
    running = asyncio.create_task(attempt.run())
    await plugin.waiting.wait()
    begun = time.monotonic()

    attempt.ask_to_stop(reason)
    await running

    assert time.monotonic() - begun < 30  # of the 60 that the start would have taken
    assert plugin.left_behind == 0
    assert (ledger.verdict if ledger.ended else None) == verdict


async def test_the_time_of_a_step_begins_with_its_start() -> None:
    ledger = MemoryLedger()
    attempt, plugin = a_slow_start(ledger, timeoutSec=0.2)

    await attempt.run()

    assert ledger.verdict == ("timed_out", "timed_out")
    assert ledger.ended is not None
    assert ledger.ended.words["detail"] == "0.2"
    assert plugin.left_behind == 0


async def test_what_was_made_ready_faster_than_it_was_called_off_is_released() -> None:
    released: list[str] = []

    class Stubborn(Plugin):
        async def start(self, spec: StepSpec, context: StepContext) -> Acted:
            made = Acted(context, never)
            made.release = release  # type: ignore[method-assign]
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return made
            raise AssertionError("nobody waits that long")

    async def release() -> None:
        released.append("released")

    ledger = MemoryLedger()
    attempt = an_attempt(ledger, never)
    attempt._around.plugins["ssh.exec"] = Stubborn(never)  # type: ignore[index]
    running = asyncio.create_task(attempt.run())
    await eventually(lambda: not running.done())

    attempt.ask_to_stop("cancelled")
    await running

    assert ledger.verdict == ("cancelled", "cancelled")
    assert released == ["released"]
