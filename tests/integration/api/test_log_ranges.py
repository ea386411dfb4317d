"""Ranges of a log, and going on from one by live stream without a gap or a double."""

import asyncio
import random
from typing import Any
from uuid import UUID

import orjson

from tests.integration.api.test_live import events_of
from tests.support.api import Api
from tests.support.rows import a_chunk, a_task, end_run, output, settled

COUNT = 120


async def lines(api: Api, run_id: UUID, query: str = "") -> list[dict[str, Any]]:
    answer = await api.client.get(f"/api/v1/runs/{run_id}/log?format=jsonl&{query}")
    assert answer.status_code == 200, answer.text
    return [orjson.loads(line) for line in answer.text.splitlines()]


async def test_a_log_is_loaded_range_by_range_in_both_directions(api: Api) -> None:
    run_id = await api.a_run()
    task = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task, *(f"{n}\n" for n in range(COUNT)))
    await settled(api.engine)

    first = await lines(api, run_id, "limit=50")
    second = await lines(api, run_id, f"limit=50&after={first[-1]['id']}")
    rest = await lines(api, run_id, f"after={second[-1]['id']}")
    tail = await lines(api, run_id, "tail=true&limit=10")
    before = await lines(api, run_id, f"limit=10&before={tail[0]['id']}")

    assert [line["seq"] for line in first + second + rest] == list(range(COUNT))
    assert [line["seq"] for line in before + tail] == list(range(COUNT - 20, COUNT))


async def test_output_of_one_step_target_stream_or_attempt_is_found(api: Api) -> None:
    run_id = await api.a_run()
    one = await a_task(api.engine, run_id)
    two = await a_task(api.engine, run_id, ordinal=1, target_name="web-2")
    await output(api.engine, run_id, one, "a", "b")
    await output(api.engine, run_id, two, "c")
    await output(api.engine, run_id, two, "d", stream="stderr", first=1)
    await settled(api.engine)

    assert [line["data"] for line in await lines(api, run_id, "target=web-2")] == ["c", "d"]
    assert [line["data"] for line in await lines(api, run_id, "target=web-2&stream=stderr")] == ["d"]
    assert [line["data"] for line in await lines(api, run_id, "step=step-1&limit=3")] == ["a", "b", "c"]
    assert await lines(api, run_id, "attempt=2") == []
    assert await lines(api, run_id, "target=nobody") == []


async def test_the_text_is_a_file_with_times_and_without_colours_when_asked(api: Api) -> None:
    run_id = await api.a_run()
    task = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task, "\x1b[3", "1mred\x1b[0m\n")
    ticket = (await api.client.post("/api/v1/events/ticket")).json()["ticket"]
    del api.client.headers["authorization"]

    page = await api.client.get(
        f"/api/v1/runs/{run_id}/log?timestamps=true&ansi=false&download=true&ticket={ticket}"
    )

    assert page.headers["content-disposition"] == f'attachment; filename="run-{run_id}.txt"'
    assert page.text.splitlines()[1].endswith("Z red")


async def test_a_cursor_of_another_epoch_is_refused(api: Api) -> None:
    run_id = await api.a_run()

    answer = await api.client.get(f"/api/v1/runs/{run_id}/log?after=99.1.1")

    assert (answer.status_code, answer.json()["code"]) == (409, "cursor_reset")


async def test_a_range_ends_below_transactions_that_are_still_open(api: Api) -> None:
    run_id = await api.a_run()
    task = await a_task(api.engine, run_id)
    async with api.engine.connect() as early:
        await a_chunk(early, run_id, task, 0, "early")
        await output(api.engine, run_id, task, "late", first=1)
        ranged = await lines(api, run_id, "limit=10")
        whole = await lines(api, run_id)
        await early.commit()
    await settled(api.engine)

    assert (ranged, [line["data"] for line in whole]) == ([], ["late"])
    assert [line["data"] for line in await lines(api, run_id, "limit=10")] == ["early", "late"]


async def test_a_stream_goes_on_exactly_where_a_range_ended(api: Api) -> None:
    run_id = await api.a_run()
    tasks = [await a_task(api.engine, run_id, ordinal=n, target_name=f"t{n}") for n in range(4)]

    async def write(task: UUID, seed: int) -> None:
        rng = random.Random(seed)
        async with api.engine.connect() as connection:
            for seq in range(40):
                await a_chunk(connection, run_id, task, seq, f"{task} {seq}")
                await asyncio.sleep(rng.random() / 100)
                await connection.commit()
                api.deps.hub.ring([run_id])

    async def write_all() -> None:
        await asyncio.gather(*(write(task, seed) for seed, task in enumerate(tasks)))
        await end_run(api.engine, run_id)
        api.deps.hub.ring([run_id])

    async def read() -> list[str]:
        seen: list[str] = []
        last = ""
        while len(seen) < 60:
            page = await lines(api, run_id, f"limit=20&after={last}")
            seen += [line["data"] for line in page]
            last = page[-1]["id"] if page else last
        async with events_of(api, run_id, headers={"last-event-id": last}).opened() as stream:
            return seen + [e.data["data"] for e in await stream.rest() if e.event == "output"]

    seen, _ = await asyncio.gather(read(), write_all())

    assert len(seen) == len(set(seen)), "a chunk was shown twice"
    assert set(seen) == {f"{task} {seq}" for task in tasks for seq in range(40)}, "a chunk was missed"
