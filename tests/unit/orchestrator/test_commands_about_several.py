"""A command about several runs: what fails with one of them is ordered again for that one alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.runs.messages import AdvanceRun
from infra.batching import Batcher
from infra.outages import Gate, StillDown
from infra.unit_of_work import PlainUnitOfWork, new_meta
from workers.orchestrator.role import _each

META = new_meta(principal="user:1")


class Emitted:
    """Units of work that only remember what was to be sent."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PlainUnitOfWork]:
        uow = PlainUnitOfWork(None)  # type: ignore[arg-type]
        yield uow
        self.messages += [pending.message for pending in uow._pending]


def batcher(failing: UUID, error: Exception, done: set[UUID]) -> Batcher[UUID, None]:
    async def write(run_ids: Sequence[UUID]) -> Sequence[Exception | None]:
        if failing in run_ids:
            raise error
        done.update(run_ids)
        return [None] * len(run_ids)

    async def ping() -> None:
        """Always there."""

    return Batcher(write, gate=Gate(ping))


async def test_the_guilty_run_is_ordered_again_by_itself_and_the_others_are_done() -> None:
    good, bad, done, emitted = [uuid4() for _ in range(5)], uuid4(), set[UUID](), Emitted()
    [command] = AdvanceRun.about([*good[:2], bad, *good[2:]])

    await _each(command, META, batcher(bad, ValueError("a bug"), done), emitted.open)

    assert done == set(good)
    assert emitted.messages == [AdvanceRun(run_id=bad)]


async def test_a_command_about_one_run_fails_with_it() -> None:
    bad, emitted = uuid4(), Emitted()

    with pytest.raises(ValueError, match="a bug"):
        await _each(AdvanceRun(run_id=bad), META, batcher(bad, ValueError("a bug"), set()), emitted.open)

    assert emitted.messages == []


async def test_an_outage_that_lasts_is_left_to_the_look() -> None:
    bad, emitted = uuid4(), Emitted()
    [command] = AdvanceRun.about([uuid4(), bad])

    with pytest.raises(StillDown):
        await _each(command, META, batcher(bad, StillDown(), set()), emitted.open)

    assert emitted.messages == []
