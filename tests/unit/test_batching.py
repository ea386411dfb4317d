"""Group commit."""

from collections.abc import Sequence

from infra.batching import Batcher
from infra.outages import Gate


async def _never() -> None:
    raise AssertionError("no outage here")


async def test_a_caller_that_submits_again_at_once_is_not_forgotten() -> None:
    async def write(items: Sequence[int]) -> Sequence[int]:
        return items

    batcher: Batcher[int, int] = Batcher(write, gate=Gate(_never))

    assert [await batcher.submit(number) for number in range(100)] == list(range(100))
