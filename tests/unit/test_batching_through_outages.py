"""A batch that an outage outlasted fails as a whole, at once; a bug is narrowed down to its item."""

import asyncio
from collections.abc import Sequence

import pytest

from infra.batching import Batcher
from infra.outages import Gate, StillDown


async def ping() -> None:
    """The database answers."""


async def outcome_of(batcher: Batcher[int, int], items: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*map(batcher.submit, items), return_exceptions=True)


async def test_a_batch_is_not_halved_when_the_outage_outlasted_our_patience() -> None:
    tries: list[Sequence[int]] = []

    async def write(items: Sequence[int]) -> Sequence[int | Exception]:
        tries.append(items)
        raise StillDown

    results = await outcome_of(Batcher(write, gate=Gate(ping)), range(8))
    assert all(isinstance(result, StillDown) for result in results)
    assert tries == [list(range(8))]


async def test_only_the_guilty_item_fails() -> None:
    async def write(items: Sequence[int]) -> Sequence[int | Exception]:
        if 5 in items:
            raise ValueError("five")
        return items

    results = await outcome_of(Batcher(write, gate=Gate(ping)), range(8))
    assert [result for result in results if not isinstance(result, BaseException)] == [0, 1, 2, 3, 4, 6, 7]


async def test_waiting_ends_though_the_probe_says_all_is_well() -> None:
    async def work() -> None:
        raise ConnectionResetError("for this work alone")

    gate = Gate(ping)
    with pytest.raises(StillDown):
        await gate.run(work, patience=0.2)
    await gate.close()
