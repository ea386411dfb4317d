"""One attempt from its start to its settlement, around a plug-in and a ledger in memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from unittest.mock import Mock

import pytest

from contracts.jobs.definition import parse_definition
from contracts.jobs.steps import StepSpec
from tests.support.eventually import eventually
from tests.support.ledger import TASK, MemoryLedger, MemoryVault
from workers.executor.running import RunningAttempt
from workers.executor.steps.base import Handle, StepContext, StepOutcome
from workers.executor.surroundings import Surroundings
from workers.executor.verdicts import error_of

Acting = Callable[[StepContext], Awaitable[int]]


@dataclass
class Acted:
    """An attempt whose command is a function."""

    context: StepContext
    act: Acting
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    handle: Handle = field(default_factory=lambda: {"id": 1})

    async def follow(self) -> StepOutcome:
        acting = asyncio.ensure_future(self.act(self.context))
        stopping = asyncio.create_task(self.stopped.wait())
        try:
            await asyncio.wait({acting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return StepOutcome(outcome="ended", exit_code=acting.result() if acting.done() else 143)
        finally:
            acting.cancel()
            stopping.cancel()

    async def stop(self) -> bool:
        self.stopped.set()
        return True

    async def release(self) -> str | None:
        return None

    async def detach(self) -> None: ...


@dataclass
class Plugin:
    act: Acting
    type: ClassVar[str] = "ssh.exec"

    async def start(self, spec: StepSpec, context: StepContext) -> Acted:
        return Acted(context, self.act)

    async def resume(self, spec: StepSpec, context: StepContext, handle: Handle) -> Acted:
        return Acted(context, self.act)

    async def tidy(self, spec: StepSpec, context: StepContext, handle: Handle | None) -> None: ...

    def leaves(self, spec: StepSpec, context: StepContext) -> str:
        return "nothing"

    async def close(self) -> None: ...


def an_attempt(ledger: MemoryLedger, act: Acting, *, taken_over: bool = False, **step: Any) -> RunningAttempt:
    definition = parse_definition(
        {
            "name": "job",
            "parameters": {"word": {"type": "secret"}},
            "steps": [{"type": "ssh.exec", "command": "true"} | step],
        }
    )
    task = replace(TASK, handle={"id": 1}, reattached=1) if taken_over else TASK
    around = Surroundings(
        ledger=ledger,
        vault=MemoryVault(secrets={"word": "s3cr3t-word"}),
        plugins={"ssh.exec": Plugin(act)},
        still_mine=lambda: None,
        artifacts=Mock(),
        reporter=lambda _: lambda _: None,
    )
    return RunningAttempt(task, definition, around)


async def test_the_line_that_fails_a_step_was_seen_by_a_worker_that_died() -> None:
    ledger = MemoryLedger()

    async def first_half(context: StepContext) -> int:
        await context.output.write("stdout", b"one\nFATAL di")
        await asyncio.sleep(60)
        return 0

    async def second_half(context: StepContext) -> int:
        assert context.output.position("stdout") == len(b"one\nFATAL di")
        await context.output.write("stdout", b"sk\nall done\n")
        return 0

    fail_on = {"pattern": "FATAL disk$"}
    first = an_attempt(ledger, first_half, fail_on=fail_on)
    running = asyncio.create_task(first.run())
    await eventually(lambda: "".join(chunk.data for chunk in ledger.chunks) == "one\nFATAL di")
    first.ask_to_stop("let_go")
    await running
    assert ledger.ended is None

    await an_attempt(ledger, second_half, taken_over=True, fail_on=fail_on).run()

    assert ledger.verdict == ("failed", "output_pattern")


async def test_a_pattern_is_searched_in_what_is_stored_so_it_cannot_ask_for_a_secret() -> None:
    async def act(context: StepContext) -> int:
        await context.output.write("stdout", b"the word is s3cr3t-word\nhidden as *** it is\n")
        return 0

    guessing, masked = MemoryLedger(), MemoryLedger()
    await an_attempt(guessing, act, fail_on={"pattern": "s3cr3t"}).run()
    await an_attempt(masked, act, fail_on={"pattern": r"word is \*\*\*"}).run()

    assert guessing.verdict == ("succeeded", None)
    assert masked.verdict == ("failed", "output_pattern")
    assert masked.ended is not None
    assert "s3cr3t" not in str(error_of(masked.ended))


async def test_output_that_is_left_out_of_storage_for_its_length_is_looked_at_all_the_same() -> None:
    async def act(context: StepContext) -> int:
        for number in range(400):
            line = b"NEEDLE\n" if number == 250 else b""
            await context.output.write("stdout", line + (b"x" * 63 + b"\n") * 512)
        return 0

    ledger = MemoryLedger()
    await an_attempt(ledger, act, fail_on={"pattern": "^NEEDLE$"}).run()

    assert "NEEDLE" not in "".join(chunk.data for chunk in ledger.chunks)
    assert ledger.verdict == ("failed", "output_pattern")


async def test_a_silent_command_is_stopped_after_its_idle_time() -> None:
    async def act(context: StepContext) -> int:
        await asyncio.sleep(60)
        return 0

    ledger = MemoryLedger()
    await an_attempt(ledger, act, idleTimeoutSec=0.2).run()

    assert ledger.verdict == ("timed_out", "idle_timed_out")
    assert ledger.ended is not None
    assert "0.2 s" in (error_of(ledger.ended) or {})["message"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_a_command_that_says_something_now_and_then_is_not_idle(stream: Any) -> None:
    async def act(context: StepContext) -> int:
        until = time.monotonic() + 4.5
        while time.monotonic() < until:
            await context.output.write(stream, b".")
            await asyncio.sleep(0.05)
        return 0

    ledger = MemoryLedger()
    await an_attempt(ledger, act, idleTimeoutSec=4).run()

    assert ledger.verdict == ("succeeded", None)


async def test_a_take_over_begins_a_new_silence() -> None:
    begun = time.monotonic()

    async def act(context: StepContext) -> int:
        await asyncio.sleep(60)
        return 0

    ledger = MemoryLedger()
    await an_attempt(ledger, act, taken_over=True, idleTimeoutSec=0.5).run()

    assert ledger.verdict == ("timed_out", "idle_timed_out")
    assert time.monotonic() - begun >= 0.5


async def test_a_stopped_command_that_ignores_exit_codes_is_still_timed_out() -> None:
    async def act(context: StepContext) -> int:
        await asyncio.sleep(60)
        return 0

    ledger = MemoryLedger()
    await an_attempt(ledger, act, timeoutSec=0.2, fail_on={"exit_code": False}).run()

    assert ledger.verdict == ("timed_out", "timed_out")
