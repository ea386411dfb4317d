"""How much work comes and goes behind the queues, and how deep they were lately."""

from collections.abc import Sequence
from typing import Any

from gateway.deps import QueueDepth
from gateway.queues.flow import SAMPLES, DepthHistory
from tests.support.api import Api

START = "orchestrator.start-run"


async def queue(api: Api) -> dict[str, Any]:
    answer = await api.client.get("/api/v1/queues")
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["items"]
    view: dict[str, Any] = found
    return view


async def test_work_that_was_asked_for_and_begun_in_the_last_minutes_is_counted_per_minute(api: Api) -> None:
    still = await queue(api)
    job = await api.a_job()
    runs = [await api.a_run(job) for _ in range(5)]
    await api.execute("UPDATE runs SET started_at = now() WHERE id = :id", id=runs[0])
    await api.execute("UPDATE runs SET started_at = now() - interval '7 minutes' WHERE id = :id", id=runs[1])

    moving = await queue(api)

    assert (still["name"], still["arriving"], still["begun"]) == (START, 0.0, 0.0)
    assert (moving["arriving"], moving["begun"]) == (1.0, 0.2)


async def test_depths_of_the_last_hour_are_told_the_oldest_first(api: Api) -> None:
    before = await queue(api)
    for _ in range(2):
        await api.deps.depth_history.sample()

    assert (before["depths"], (await queue(api))["depths"]) == ([], [3, 3])


async def test_a_broker_that_is_away_leaves_a_gap_and_samples_older_than_an_hour_go() -> None:
    answers: list[int | None] = [1, None, 2]

    async def depths() -> Sequence[QueueDepth]:
        depth = answers.pop(0) if answers else 9
        if depth is None:
            raise ConnectionRefusedError("nobody listens")
        return [QueueDepth(START, depth, 1)]

    history = DepthHistory(depths)
    for _ in range(3):
        await history.sample()
    first = history.of(START)
    for _ in range(SAMPLES):
        await history.sample()

    assert (first, history.of("nobody.has-this")[:1]) == ([1, None, 2], [None])
    assert history.of(START) == [9] * SAMPLES
