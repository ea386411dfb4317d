"""Reading a log from one of its lines on, without what is before it."""

import random
from typing import Any
from uuid import UUID

import orjson

from tests.support.api import Api
from tests.support.rows import a_task, output, settled

Begun = tuple[int, str, str]
"""In which chunk a line begins, and which task and stream it is of."""


async def place(api: Api, run_id: UUID, line: int, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"/api/v1/runs/{run_id}/log/place?line={line}&{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def chunks(api: Api, run_id: UUID, query: str = "") -> list[dict[str, Any]]:
    answer = await api.client.get(f"/api/v1/runs/{run_id}/log?format=jsonl&limit=1000&{query}")
    return [orjson.loads(line) for line in answer.text.splitlines()]


def lines_of(stored: list[dict[str, Any]]) -> list[Begun]:
    """Every line of a log as a page numbers them: where it begins."""
    lines: list[Begun] = []
    within: set[tuple[str, str]] = set()
    for index, chunk in enumerate(stored):
        stream = (chunk["task_id"], chunk["stream"])
        for part in chunk["data"].splitlines(keepends=True):
            if stream not in within:
                lines.append((index, *stream))
            (within.discard if part.endswith("\n") else within.add)(stream)
    return lines


async def a_tangled_log(api: Api) -> UUID:
    run_id = await api.a_run()
    tasks = [await a_task(api.engine, run_id, ordinal=n, target_name=f"web-{n}") for n in range(2)]
    dice = random.Random(7)
    counts = dict.fromkeys(tasks, 0)
    for _ in range(60):
        task, data = dice.choice(tasks), "".join(dice.choices(("a", "\n", "b\n", "ü"), k=dice.randint(1, 5)))
        await output(
            api.engine, run_id, task, data, stream=dice.choice(("stdout", "stderr")), first=counts[task]
        )
        counts[task] += 1
    await settled(api.engine)
    return run_id


async def test_every_line_is_read_from_where_it_begins_however_streams_print_into_each_other(
    api: Api,
) -> None:
    run_id = await a_tangled_log(api)
    for part in ("", "target=web-1"):
        stored = await chunks(api, run_id, part)
        lines = lines_of(stored)
        for number, (index, _, _) in enumerate(lines, 1):
            found = await place(api, run_id, number, part)
            first = next(n for n, line in enumerate(lines, 1) if line[0] == index)
            after = stored[index - 1]["id"] if index else None
            assert (found["after"], found["first_line"], found["lines"]) == (after, first, len(lines))


async def test_streams_that_are_in_the_middle_of_a_line_are_named(api: Api) -> None:
    run_id = await api.a_run()
    task = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task, "one\ntw")
    await output(api.engine, run_id, task, "wrong\n", stream="stderr", first=1)
    await output(api.engine, run_id, task, "o\n", first=2)
    await settled(api.engine)

    found = await place(api, run_id, 3)

    assert found["begun"] == [{"task_id": str(task), "attempt": 1, "stream": "stdout"}]
    assert [chunk["data"] for chunk in await chunks(api, run_id, f"after={found['after']}")] == [
        "wrong\n",
        "o\n",
    ]


async def test_a_line_beyond_the_end_leads_to_the_last_and_an_empty_log_to_its_beginning(api: Api) -> None:
    run_id = await api.a_run()
    empty = await place(api, run_id, 5)
    task = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task, "one\n", "two\n")
    await settled(api.engine)

    beyond = await place(api, run_id, 5)

    assert empty == {"after": None, "first_line": 1, "lines": 0, "begun": []}
    assert (beyond["first_line"], beyond["lines"]) == (2, 2)
