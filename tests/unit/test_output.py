"""What an attempt prints, on its way to storage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.limits import CHUNK_BYTES
from tests.support.eventually import eventually
from workers.executor import output as outputs
from workers.executor.masking import Masker
from workers.executor.output import NUL_SHOWN, AttemptOutput, Chunk
from workers.executor.steps.base import Fenced

SECRET = "s3cr3t-word"


class Stored:
    """Chunks as storage would hold them."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.fenced = False

    async def store(self, chunk: Chunk) -> None:
        await asyncio.sleep(0)
        if self.fenced:
            raise Fenced
        self.chunks.append(chunk)

    def text(self, stream: str = "stdout") -> str:
        return "".join(chunk.data for chunk in self.chunks if chunk.stream == stream)

    def sink(self, *secrets: str, next_seq: int = 0, start: int = 0) -> AttemptOutput:
        return AttemptOutput(
            task_id=UUID(int=1),
            run_id=UUID(int=2),
            attempt=1,
            fence=1,
            masker=Masker(secrets),
            store=self.store,
            next_seq=next_seq,
            positions={"stdout": start},
        )


@asynccontextmanager
async def a_sink(stored: Stored, *secrets: str) -> AsyncIterator[AttemptOutput]:
    sink = stored.sink(*secrets)
    yield sink
    await sink.finish()


def expected(data: bytes, *secrets: str) -> str:
    return Masker(secrets).mask(data).decode("utf-8", "replace").replace("\0", NUL_SHOWN)


PIECES = st.lists(
    st.binary(max_size=30)
    | st.text(max_size=20).map(str.encode)
    | st.sampled_from([SECRET.encode(), SECRET[:4].encode(), SECRET[4:].encode(), b"\0", "é😀".encode()]),
    max_size=12,
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so small that a few bytes reach them."""
    monkeypatch.setattr(outputs, "SLICE_BYTES", 16)
    monkeypatch.setattr(outputs, "FLUSH_BYTES", 8)
    monkeypatch.setattr(outputs, "OUTPUT_HEAD_BYTES", 100)
    monkeypatch.setattr(outputs, "OUTPUT_TAIL_BYTES", 50)


@settings(max_examples=100)
@given(pieces=PIECES)
def test_however_output_is_split_the_stored_text_is_that_of_the_whole(pieces: list[bytes]) -> None:
    async def scenario() -> None:
        stored = Stored()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outputs, "SLICE_BYTES", 16)
            patch.setattr(outputs, "FLUSH_BYTES", 8)
            async with a_sink(stored, SECRET) as sink:
                for piece in pieces:
                    await sink.write("stdout", piece)
        whole = b"".join(pieces)
        assert stored.text() == expected(whole, SECRET)
        assert [chunk.seq for chunk in stored.chunks] == list(range(len(stored.chunks)))
        assert sink.position("stdout") == len(whole)
        assert not sink.truncated

    asyncio.run(scenario())


@settings(max_examples=100)
@given(pieces=PIECES, lost_after=st.integers(0, 12))
def test_whoever_resumes_at_the_stored_position_reproduces_the_rest(
    pieces: list[bytes], lost_after: int
) -> None:
    async def scenario() -> None:
        stored, whole = Stored(), b"".join(pieces)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outputs, "SLICE_BYTES", 16)
            patch.setattr(outputs, "FLUSH_BYTES", 8)
            first = stored.sink(SECRET)
            for piece in pieces[:lost_after]:
                await first.write("stdout", piece)
            await first.abandon()
            position = first.position("stdout")
            assert position == max((chunk.source_end for chunk in stored.chunks), default=0)

            second = stored.sink(SECRET, next_seq=len(stored.chunks), start=position)
            await second.write("stdout", whole[position:])
            await second.finish()
        assert stored.text() == expected(whole, SECRET)
        assert [chunk.seq for chunk in stored.chunks] == list(range(len(stored.chunks)))

    asyncio.run(scenario())


async def test_no_chunk_is_larger_than_the_limit_whatever_the_bytes() -> None:
    stored = Stored()
    async with a_sink(stored, SECRET) as sink:
        await sink.write("stdout", b"\xff" * 200_000 + b"\0" * 200_000 + b"x" * 200_000)

    assert max(len(chunk.data.encode()) for chunk in stored.chunks) <= CHUNK_BYTES
    assert stored.text() == "\ufffd" * 200_000 + NUL_SHOWN * 200_000 + "x" * 200_000


@pytest.mark.usefixtures("small")
async def test_head_and_tail_are_kept_and_what_is_left_out_is_said() -> None:
    stored = Stored()
    async with a_sink(stored) as sink:
        for number in range(100):
            await sink.write("stdout", f"line {number:03}\n".encode())

    assert sink.truncated
    head, _, tail = stored.text().partition("\n[")
    assert head.startswith("line 000\nline 001\n")
    left_out, _, tail = tail.partition(" bytes left out here]\n")
    assert tail.endswith("line 098\nline 099\n")
    assert len(head) + int(left_out) + len(tail) == 900
    assert len(head) <= 100
    assert len(tail) <= 50


@pytest.mark.usefixtures("small")
async def test_the_kept_tail_tears_no_character_and_shows_no_secret() -> None:
    stored = Stored()
    async with a_sink(stored, SECRET) as sink:
        await sink.write("stdout", ("é😀" * 200 + SECRET + "é😀" * 3).encode())

    assert "\ufffd" not in stored.text()
    assert stored.text().endswith("***é😀é😀é😀")


@pytest.mark.usefixtures("small")
async def test_output_that_just_fits_is_not_truncated() -> None:
    stored = Stored()
    async with a_sink(stored) as sink:
        await sink.write("stdout", b"x" * 100)
        await sink.write("stderr", b"y" * 100)

    assert (stored.text(), stored.text("stderr"), sink.truncated) == ("x" * 100, "y" * 100, False)


async def test_little_output_is_stored_soon_and_not_only_at_the_end() -> None:
    stored = Stored()
    sink = stored.sink()
    await sink.write("stdout", b"ready\n")
    await eventually(lambda: stored.chunks)

    assert (stored.text(), sink.position("stdout")) == ("ready\n", 6)
    await sink.finish()


async def test_a_gap_is_marked_where_it_is() -> None:
    stored = Stored()
    async with a_sink(stored) as sink:
        await sink.write("stdout", b"before")
        await sink.mark_incomplete("stdout", "connection lost")
        await sink.write("stdout", b"after")

    assert stored.text() == "before\n[output missing here: connection lost]\nafter"
    assert sink.incomplete


async def test_a_worker_that_lost_the_task_is_told_so() -> None:
    stored = Stored()
    stored.fenced = True
    sink = stored.sink()
    await sink.write("stdout", b"too late")

    with pytest.raises(Fenced):
        await sink.finish()


async def test_a_flood_of_output_leaves_room_for_heartbeats() -> None:
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beating = asyncio.create_task(beat())
    async with a_sink(Stored()) as sink:
        for _ in range(200):
            await sink.write("stdout", b"x" * 65_536)
    beating.cancel()

    assert turns > 400
