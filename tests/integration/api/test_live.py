"""Live streams: gap-free, in order, ending with the run, and only for those who may look."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from contracts.access.roles import Role
from infra.ids import uuid7
from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.rows import a_chunk, a_task, end_run, output


@dataclass(frozen=True)
class Seen:
    event: str
    data: dict[str, Any]
    id: str | None


class Client:
    """Speaks ASGI to the application itself, so that it can stop reading in mid-stream."""

    def __init__(
        self, api: Api, path: str, *, query: str = "", headers: dict[str, str] | None = None
    ) -> None:
        sent = {"authorization": api.client.headers.get("authorization", "")} | (headers or {})
        self._scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in sent.items()],
            "client": ("127.0.0.1", 1), "server": ("gateway.test", 80), "state": {},
        }  # fmt: skip
        self._app = api.app
        self._gone = asyncio.Event()
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1)
        self._text = ""
        self.status = 0
        self.ended = False
        self.comments = 0

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Client"]:
        task = asyncio.create_task(self._app(self._scope, self._receive, self._messages.put))
        start = await self._messages.get()
        self.status = start["status"]
        self.headers = {k.decode(): v.decode() for k, v in start["headers"]}
        try:
            yield self
        finally:
            self._gone.set()
            while not task.done():
                with suppress(asyncio.QueueEmpty):
                    self._messages.get_nowait()
                await asyncio.sleep(0)
            await asyncio.gather(task, return_exceptions=True)

    async def next(self) -> Seen | None:
        """The next event, None at the end of the stream.

        That a transaction delays it is passed over: it may be one of another test, in another database.
        """
        while (seen := await self.next_also_delays()) is not None and seen.event == "delayed":
            pass
        return seen

    async def next_also_delays(self) -> Seen | None:
        while True:
            block, found, rest = self._text.partition("\n\n")
            if found:
                self._text = rest
                if block.startswith(":"):
                    self.comments += 1
                    continue
                fields = dict(line.split(": ", 1) for line in block.split("\n"))
                return Seen(fields["event"], orjson.loads(fields["data"]), fields.get("id"))
            if self.ended:
                return None
            message = await self._messages.get()
            self._text += message.get("body", b"").decode()
            self.ended = not message.get("more_body", False)

    async def rest(self) -> list[Seen]:
        seen = []
        while (event := await self.next()) is not None:
            seen.append(event)
        return seen


def events_of(api: Api, run_id: UUID, **options: Any) -> Client:
    return Client(api, f"/api/v1/runs/{run_id}/events", **options)


async def test_a_stream_shows_everything_once_and_ends_with_the_run(api: Api) -> None:
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task_id, "one\n", "two\n")

    async with events_of(api, run_id).opened() as stream:
        first = [await stream.next() for _ in range(3)]
        await output(api.engine, run_id, task_id, "three\n", first=2)
        await end_run(api.engine, run_id)
        api.deps.hub.ring([run_id])
        rest = await stream.rest()

    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-store", "no")
    seen = [event for event in [*first, *rest] if event]
    assert [event.event for event in seen] == ["run", "output", "output", "output", "run"]
    assert seen[0].data["status"] == "requested"
    assert datetime.fromisoformat(seen[1].data["time"]).tzinfo is not None
    assert seen[1].data == {
        "run_id": str(run_id), "task_id": str(task_id), "step": "step-1", "target": "web-1", "attempt": 1,
        "stream": "stdout", "seq": 0, "data": "one\n", "time": seen[1].data["time"],
    }  # fmt: skip
    assert seen[-1].data == {"run_id": str(run_id), "status": "succeeded"}
    assert all(event.id for event in seen)


async def test_rows_that_committed_before_the_end_are_shown_before_it(api: Api) -> None:
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id)
    async with api.engine.connect() as early, api.engine.connect() as late:
        await early.execute(text("SELECT pg_current_xact_id()"))
        await a_chunk(late, run_id, task_id, 0, "settled with the later transaction id\n")
        await late.commit()
        await early.execute(text("UPDATE runs SET status = 'running'"))
        await early.execute(text("UPDATE runs SET status = 'failed', ended_at = now()"))
        await early.execute(
            text(
                "INSERT INTO run_events (run_id, kind, event) VALUES (:id, 'run', '{\"status\": \"failed\"}')"
            ),
            {"id": run_id},
        )
        await early.commit()

    async with events_of(api, run_id).opened() as stream:
        seen = await stream.rest()

    assert [event.event for event in seen] == ["run", "output", "run"]
    assert seen[-1].data["status"] == "failed"


async def test_a_stream_goes_on_after_the_last_event_a_client_saw(api: Api) -> None:
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task_id, *(str(i) for i in range(200)))
    await end_run(api.engine, run_id)
    async with events_of(api, run_id).opened() as stream:
        whole = await stream.rest()
    middle = whole[100]
    assert middle.id

    async with events_of(api, run_id, headers={"last-event-id": middle.id}).opened() as by_header:
        rest = await by_header.rest()
    async with events_of(api, run_id, query=f"last_event_id={middle.id}").opened() as by_query:
        assert await by_query.rest() == rest
    async with events_of(api, run_id, headers={"last-event-id": str(whole[-1].id)}).opened() as ended:
        assert [event.event for event in await ended.rest()] == ["run"]

    assert rest == whole[101:]


@pytest.mark.parametrize("last", ["99.1.1", "junk", "1.2", "1.-1.0", "1.99999999999999999999.1"])
async def test_a_cursor_of_another_epoch_is_reset(api: Api, last: str) -> None:
    run_id = await api.a_run()
    await end_run(api.engine, run_id)

    async with events_of(api, run_id, headers={"last-event-id": last}).opened() as stream:
        seen = await stream.rest()

    assert [event.event for event in seen] == ["reset", "run", "run"]


async def write_much(api: Api, run_id: UUID, task_ids: list[UUID], each: int) -> None:
    """Many writers at once, each in transactions that overlap the others'."""

    async def writer(task_id: UUID, rng: random.Random) -> None:
        async with api.engine.connect() as connection:
            for seq in range(each):
                await a_chunk(connection, run_id, task_id, seq, f"{task_id} {seq}")
                await asyncio.sleep(rng.random() ** 4 / 10)
                await connection.commit()
                api.deps.hub.ring([run_id])

    await asyncio.gather(*(writer(task_id, random.Random(i)) for i, task_id in enumerate(task_ids)))


async def read_with_breaks(api: Api, run_id: UUID, seed: int) -> list[tuple[str, int]]:
    """Every output row a client saw that breaks off at random and comes back with its last event id."""
    rng, last, seen = random.Random(seed), "", list[tuple[str, int]]()
    while True:
        headers = {"last-event-id": last} if last else {}
        async with events_of(api, run_id, headers=headers).opened() as stream:
            for _ in range(rng.randrange(5, 120)):
                event = await stream.next()
                if event is None:
                    return seen
                last = event.id or last
                if event.event == "output":
                    seen.append((event.data["data"].split()[0], event.data["seq"]))


async def test_with_sixteen_writers_a_reader_that_breaks_off_sees_every_row_exactly_once(api: Api) -> None:
    run_id = await api.a_run()
    tasks = [await a_task(api.engine, run_id, ordinal=i, target_name=f"t{i}") for i in range(16)]

    async def write_and_end() -> None:
        await write_much(api, run_id, tasks, each=60)
        await end_run(api.engine, run_id)
        api.deps.hub.ring([run_id])

    *readers, _ = await asyncio.gather(
        *(read_with_breaks(api, run_id, seed) for seed in range(3)), write_and_end()
    )

    expected = {(str(task), seq) for task in tasks for seq in range(60)}
    for seen in readers:
        assert seen is not None
        assert len(seen) == len(set(seen)), "a row was shown twice"
        assert set(seen) == expected, "a row was missed"


async def test_an_open_writing_transaction_delays_a_stream_and_it_says_so(api: Api) -> None:
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id)
    async with events_of(api, run_id).opened() as stream, api.engine.connect() as idle:
        assert (await stream.next()) is not None
        await idle.execute(text("SELECT pg_current_xact_id()"))
        await output(api.engine, run_id, task_id, "held back\n")
        api.deps.hub.ring([run_id])

        delayed = await stream.next_also_delays()
        await idle.rollback()
        after = await stream.next()

    assert delayed == Seen("delayed", {"run_id": str(run_id)}, None)
    assert after
    assert after.data["data"] == "held back\n"


async def test_readers_of_one_run_share_its_queries(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.live.reading import RunReader  # noqa: PLC0415  (only this test counts)

    readers: list[RunReader] = []
    real = RunReader.page

    async def counted(self: RunReader, cursor: tuple[int, int]) -> Any:
        readers.append(self)
        return await real(self, cursor)

    monkeypatch.setattr(RunReader, "page", counted)
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id)
    streams = [events_of(api, run_id) for _ in range(20)]
    opened = 0

    async def follow(stream: Client) -> list[Seen]:
        nonlocal opened
        async with stream.opened():
            opened += 1
            return await stream.rest()

    async def write() -> None:
        await eventually(lambda: opened == 20)
        await output(api.engine, run_id, task_id, *"abcdefghij")
        await end_run(api.engine, run_id)
        api.deps.hub.ring([run_id])

    *seen, _ = await asyncio.gather(*(follow(stream) for stream in streams), write())

    assert [one.event for one in seen[0] or ()].count("output") == 10
    assert all(one == seen[0] for one in seen)
    assert len({id(reader) for reader in readers}) == 1
    assert api.deps.hub.open_channels == 0


async def test_several_runs_and_the_list_of_all_share_one_stream(api: Api) -> None:
    job = await api.a_job()
    one, two = [await api.a_run(job) for _ in range(2)]
    topics = f"topics=run:{one},run:{two},runs"

    async with Client(api, "/api/v1/events", query=topics).opened() as stream:
        first = [await stream.next() for _ in range(2)]
        await end_run(api.engine, two)
        three = await api.a_run(job)
        api.deps.hub.ring([two, three])
        seen: dict[str, set[str]] = {}
        while seen.get(str(three)) != {"requested"} or "succeeded" not in seen.get(str(two), ()):
            event = await stream.next()
            assert event
            seen.setdefault(event.data["run_id"], set()).add(event.data["status"])

    assert {event.data["run_id"] for event in first if event} == {str(one), str(two)}


async def test_a_ticket_opens_one_stream_and_no_other(api: Api) -> None:
    run_id = await api.a_run()
    await end_run(api.engine, run_id)
    ticket = (await api.client.post("/api/v1/events/ticket")).json()["ticket"]
    nobody = {"authorization": ""}

    async with events_of(api, run_id, query=f"ticket={ticket}", headers=nobody).opened() as stream:
        assert (stream.status, len(await stream.rest())) == (200, 2)
    for query in (f"ticket={ticket}", "ticket=guessed", ""):
        async with events_of(api, run_id, query=query, headers=nobody).opened() as refused:
            assert refused.status == 401
    other = await api.client.get(f"/api/v1/runs/{run_id}?ticket={ticket}", headers=nobody)
    assert other.status_code == 401


async def test_a_stream_ends_when_its_session_is_revoked(api: Api) -> None:
    run_id = await api.a_run()
    token = await api.token(Role.VIEWER, name="watcher")
    async with events_of(api, run_id, headers={"authorization": f"Bearer {token}"}).opened() as stream:
        assert await stream.next()
        await api.execute("UPDATE users SET token_version = token_version + 1 WHERE username = 'watcher'")

        assert await stream.rest() == []


async def test_a_client_that_does_not_read_is_dropped(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.live.stream.SEND_SECONDS", 0.2)
    run_id = await api.a_run()
    task_id = await a_task(api.engine, run_id)
    await output(api.engine, run_id, task_id, *(str(i) for i in range(20)))

    async with events_of(api, run_id).opened():
        await eventually(lambda: api.deps.hub.open_channels == 0)


async def test_no_stream_of_a_run_of_nobody(api: Api) -> None:
    async with events_of(api, uuid7()).opened() as stream:
        assert stream.status == 404
