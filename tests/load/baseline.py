"""The least that could work: one endpoint, an outbox, a quorum queue, a worker, one table.

The reachable ceiling of this path in Python: no sign-in, audit, leases, attempts, history or recovery.
`python -m tests.load.baseline api PORT` and `… worker`; addresses from BASELINE_DATABASE, BASELINE_AMQP.
"""

import asyncio
import json
import os
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI, Request
from uuid_utils.compat import uuid7

QUEUE = "baseline.work"
IN_MESSAGE = 64
MAX_BATCH = 100

SCHEMA = """
    CREATE TABLE runs (id uuid PRIMARY KEY, open int NOT NULL, claims int NOT NULL DEFAULT 0,
                       started_at float8, ended_at timestamptz);
    CREATE INDEX ON runs (id) WHERE ended_at IS NULL;
    CREATE TABLE tasks (run_id uuid, number int, claims int NOT NULL DEFAULT 0, PRIMARY KEY (run_id, number));
    CREATE TABLE outbox (id bigserial PRIMARY KEY, body text NOT NULL);
"""
ACCEPT = """
    WITH gone AS (DELETE FROM outbox WHERE id = ANY($1)),
         asked AS (SELECT * FROM unnest($2::uuid[], $3::int[]) AS a (id, targets)),
         new AS (INSERT INTO runs (id, open) SELECT id, greatest(targets, 1) FROM asked),
         laid AS (INSERT INTO tasks (run_id, number)
                  SELECT id, n FROM asked, generate_series(0, targets - 1) AS n)
    INSERT INTO outbox (body) SELECT * FROM unnest($4::text[]) RETURNING id
"""
FINISH = """
    WITH w AS (SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::float8[])
               AS w (id, first, count, at)),
         done AS (UPDATE tasks SET claims = claims + 1 FROM w
                   WHERE tasks.run_id = w.id AND tasks.number >= w.first
                     AND tasks.number < w.first + w.count),
         summed AS (
             SELECT id, sum(greatest(count, 1)) AS settled, min(at) AS at FROM w GROUP BY id)
    UPDATE runs SET open = open - settled, claims = claims + settled,
                    started_at = COALESCE(started_at, s.at),
                    ended_at = CASE WHEN open <= settled THEN now() END
      FROM summed AS s WHERE runs.id = s.id
"""

Write = Callable[[Sequence[Any]], Awaitable[None]]


class Batch:
    """Group commit: whatever waits when the last write returns goes into the next."""

    def __init__(self, write: Write, *, limit: int = MAX_BATCH) -> None:
        self._write, self._limit = write, limit
        self._waiting: deque[tuple[Any, asyncio.Future[None]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: Any) -> None:
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
            await self._write([item for item, _ in taken])
            for _, done in taken:
                done.set_result(None)


def database() -> Any:
    return asyncpg.create_pool(os.environ["BASELINE_DATABASE"], min_size=1, max_size=4)


async def channel() -> tuple[Any, Any]:
    connection = await aio_pika.connect(os.environ["BASELINE_AMQP"])
    opened = await connection.channel(publisher_confirms=True)
    await opened.set_qos(prefetch_count=200)
    queue = await opened.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    return opened, queue


class Api:
    """Accepts runs in batches, publishes what was committed, deletes it with a later batch."""

    async def start(self) -> None:
        self._pool = await database()
        self._channel, _ = await channel()
        self._accepting = Batch(self._accept)
        self._publishing = Batch(self._publish, limit=200)
        self._gone: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, targets: int) -> str:
        run_id = uuid7()
        await self._accepting.submit((run_id, targets))
        return str(run_id)

    async def _accept(self, items: Sequence[Any]) -> None:
        bodies = [
            json.dumps([str(run_id), first, min(IN_MESSAGE, targets - first)])
            for run_id, targets in items
            for first in range(0, max(targets, 1), IN_MESSAGE)
        ]
        gone, self._gone = self._gone, []
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(ACCEPT, gone, [i for i, _ in items], [n for _, n in items], bodies)
        for row, body in zip(rows, bodies, strict=True):
            task = asyncio.create_task(self._publishing.submit((row["id"], body)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _publish(self, items: Sequence[Any]) -> None:
        exchange = self._channel.default_exchange
        messages = [aio_pika.Message(body.encode(), delivery_mode=2) for _, body in items]
        await asyncio.gather(*(exchange.publish(message, QUEUE) for message in messages))
        self._gone += [row_id for row_id, _ in items]


def application() -> FastAPI:
    api = Api()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> Any:
        await api.start()
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/run", status_code=202)
    async def run(request: Request) -> dict[str, str]:
        return {"id": await api.run(int((await request.json()).get("targets", 0)))}

    return app


async def one_step(_number: int) -> None:
    """What a trivial step does."""


async def work() -> None:
    pool = await database()
    _, queue = await channel()

    async def finish(items: Sequence[Any]) -> None:
        async with pool.acquire() as connection:
            await connection.execute(FINISH, *(list(column) for column in zip(*items, strict=True)))

    finishing = Batch(finish)

    async def on_message(message: Any) -> None:
        started = time.time()
        run_id, first, count = json.loads(message.body)
        for number in range(first, first + max(count, 1)):
            await one_step(number)
        await finishing.submit((run_id, first, count, started))
        await message.ack()

    await queue.consume(on_message)
    await asyncio.Event().wait()


def main() -> None:
    if sys.argv[1] == "api":
        uvicorn.run(
            application(), port=int(sys.argv[2]), loop="uvloop", access_log=False, log_level="warning"
        )
    else:
        uvloop.run(work())


if __name__ == "__main__":
    main()
