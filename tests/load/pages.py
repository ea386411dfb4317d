"""A page of 50 runs at any depth of a million, through the API."""

import time
from collections.abc import AsyncIterator

import httpx2

from gateway.paging import encode_cursor
from tests.load.report import Row, middle
from tests.load.rows import Bench
from tests.load.systems import Product, product

RUNS = 1_000_000
BATCH = 100_000
MAKING_SECONDS = 25.0
TRIES = 15


async def pages(bench: Bench) -> AsyncIterator[Row]:
    """The first page beside pages in the middle and at the end."""
    async with product(bench.pair, bench.folder) as system:
        made = await _make_runs(system)
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{system.port}", headers=system.headers, timeout=60
        ) as client:
            depths = {"in the middle": made // 2, "at the end": made - 60}
            cursors = {name: await _cursor_at(system, depth) for name, depth in depths.items()}
            top = middle([await _page(client, None) for _ in range(TRIES)])
            for name, cursor in cursors.items():
                yield Row(
                    name=f"page of 50 of {made:,} runs, {name}; beside it the first page",
                    unit="ms",
                    ours=middle([await _page(client, cursor) for _ in range(TRIES)]),
                    baseline=top,
                    wanted="ratio ≤ 1.5",
                )


async def _make_runs(system: Product) -> int:
    """Ended runs straight into the table, as many as the time allows."""
    job = await system.query("SELECT id, project_id FROM jobs LIMIT 1")
    began, made = time.monotonic(), 0
    while made < RUNS and time.monotonic() - began < MAKING_SECONDS:
        await system.execute(
            """INSERT INTO runs (id, project_id, job_id, job_version, status, requested_by, correlation_id,
                                 requested_at, started_at, ended_at)
               SELECT ('0190' || lpad(to_hex(i), 8, '0') || substr(md5(i::text), 1, 20))::uuid, $1, $2, 1,
                      'succeeded', 'load', gen_random_uuid(), at, at, at
                 FROM generate_series($3::bigint, $4::bigint) AS i,
                      LATERAL (SELECT now() - make_interval(secs => 2000000 - i) AS at) AS times""",
            job["project_id"],
            job["id"],
            made,
            made + BATCH - 1,
        )
        made += BATCH
    await system.execute("ANALYZE runs")
    return made


async def _page(client: httpx2.AsyncClient, cursor: str | None) -> float:
    """Milliseconds of a whole page."""
    began = time.perf_counter()
    parameters = {"limit": "50"} | ({"cursor": cursor} if cursor else {})
    answer = await client.get("/api/v1/runs", params=parameters)
    milliseconds = (time.perf_counter() - began) * 1000
    if answer.status_code != 200 or len(answer.json()["items"]) != 50:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
    return milliseconds


async def _cursor_at(system: Product, depth: int) -> str:
    """What leads to the page that begins at this depth, as the page before would have said it."""
    row = await system.query("SELECT id FROM runs ORDER BY id DESC OFFSET $1 LIMIT 1", depth)
    return encode_cursor(row["id"])
