"""Group commit: lists in, one answer for each caller."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import chain

import pytest

from infra.batching import Batcher
from infra.outages import Gate, StillDown


class Writer:
    """Stands for a transaction: writes a list, or fails as told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.guilty: set[int] = set()
        self.outages = 0
        self.down = False

    async def write(self, items: Sequence[int]) -> list[int | Exception]:
        await self.free.wait()
        self.batches.append(list(items))
        if self.down or self.outages:
            self.outages -= 1
            raise ConnectionResetError
        if self.guilty.intersection(items):
            raise ValueError("bad data")
        return [item * 10 if item >= 0 else LookupError(str(item)) for item in items]

    async def probe(self) -> None:
        if self.down:
            raise ConnectionRefusedError


class Impatient(Gate):
    runs = 0

    async def run(self, work, *, patience=0.2):  # type: ignore[no-untyped-def]
        self.runs += 1
        return await super().run(work, patience=patience)


@pytest.fixture
async def writer() -> Writer:
    return Writer()


@pytest.fixture
async def gate(writer: Writer) -> AsyncIterator[Gate]:
    gate = Impatient(writer.probe)
    yield gate
    await gate.close()


async def test_what_waits_while_a_transaction_runs_goes_into_the_next_in_order(
    writer: Writer, gate: Gate
) -> None:
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)

    results = await asyncio.gather(*(batcher.submit(item) for item in range(250)))

    assert results == [item * 10 for item in range(250)]
    assert [len(batch) for batch in writer.batches] == [100, 100, 50]
    assert list(chain.from_iterable(writer.batches)) == list(range(250))


async def test_a_single_item_does_not_wait_for_others_and_idleness_writes_nothing(
    writer: Writer, gate: Gate
) -> None:
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)

    assert await batcher.submit(1) == 10
    for _ in range(5):
        await asyncio.sleep(0.01)

    assert writer.batches == [[1]]


async def test_a_batch_stays_within_its_bytes_but_a_large_item_passes_alone(
    writer: Writer, gate: Gate
) -> None:
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate, max_bytes=100)

    await asyncio.gather(
        *(batcher.submit(item, size=size) for item, size in enumerate((60, 40, 1, 500, 99, 1)))
    )

    assert writer.batches == [[0, 1], [2], [3], [4, 5]]


async def test_halving_fails_only_the_guilty_items(writer: Writer, gate: Gate) -> None:
    writer.guilty = {17, 64}
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)

    results = await asyncio.gather(*(batcher.submit(item) for item in range(100)), return_exceptions=True)

    assert {item for item, result in enumerate(results) if isinstance(result, ValueError)} == {17, 64}
    assert [result for item, result in enumerate(results) if item not in (17, 64)] == [
        item * 10 for item in range(100) if item not in (17, 64)
    ]
    assert len(writer.batches) <= 30


async def test_an_item_may_fail_by_itself_without_its_batch(writer: Writer, gate: Gate) -> None:
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)

    good, bad = await asyncio.gather(batcher.submit(1), batcher.submit(-1), return_exceptions=True)

    assert good == 10
    assert isinstance(bad, LookupError)
    assert writer.batches == [[1, -1]]


async def test_a_cancelled_caller_does_not_take_its_item_back(writer: Writer, gate: Gate) -> None:
    writer.free.clear()
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)
    first, second = (asyncio.create_task(batcher.submit(item)) for item in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    writer.free.set()

    assert await second == 20
    assert writer.batches == [[1, 2]]
    assert first.cancelled()


async def test_a_batch_whose_connection_was_lost_is_written_again_whole(writer: Writer, gate: Gate) -> None:
    writer.outages = 1
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)

    assert await asyncio.gather(*(batcher.submit(item) for item in range(3))) == [0, 10, 20]
    assert writer.batches == [[0, 1, 2], [0, 1, 2]]


async def test_an_outage_that_lasts_tells_every_caller_and_halves_nothing(writer: Writer, gate: Gate) -> None:
    writer.down = True
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate)

    results = await asyncio.gather(*(batcher.submit(item) for item in range(64)), return_exceptions=True)

    assert {type(result) for result in results} == {StillDown}
    assert isinstance(gate, Impatient)
    assert gate.runs == 1, "every half would wait as long again"
    assert {len(batch) for batch in writer.batches} == {64}


async def test_a_writer_that_forgets_an_item_is_found_out(gate: Gate) -> None:
    async def forgetful(items: Sequence[int]) -> list[int | Exception]:
        return []

    batcher: Batcher[int, int] = Batcher(forgetful, gate=gate)

    with pytest.raises(RuntimeError, match="0 results came back"):
        await batcher.submit(1)


async def test_flush_waits_for_everything_that_was_handed_in(writer: Writer, gate: Gate) -> None:
    batcher: Batcher[int, int] = Batcher(writer.write, gate=gate, lanes=2)
    callers = [asyncio.create_task(batcher.submit(item)) for item in range(300)]
    await asyncio.sleep(0)

    await batcher.flush()

    assert sum(len(batch) for batch in writer.batches) == 300
    await asyncio.gather(*callers)


async def test_a_caller_that_submits_again_at_once_is_not_forgotten(writer: Writer, gate: Gate) -> None:
    batcher = Batcher(writer.write, gate=gate)

    assert [await batcher.submit(number) for number in range(100)] == [n * 10 for n in range(100)]
