"""The embedded AMQP endpoint reads whatever comes: it either understands or refuses, it never breaks."""

import contextlib
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import frame as codec
from pamqp.commands import Basic, Queue
from pamqp.header import ContentHeader

from infra.embedded.amqp import framing
from infra.embedded.amqp.refusals import Refusal

FRAMES = (
    codec.marshal(Queue.Declare(queue="q", arguments={"x-queue-type": "quorum"}), 1),
    codec.marshal(Basic.Publish(exchange="e", routing_key="k", mandatory=True), 1),
    codec.marshal(ContentHeader(body_size=3, properties=Basic.Properties(headers={"a": [1, {"b": 2.5}]})), 1),
    b"\x03\x00\x01\x00\x00\x00\x03abc\xce",
    b"\x08\x00\x00\x00\x00\x00\x00\xce",
)


def drained(buffer: framing.FrameBuffer) -> list[tuple[int, int, bytes]]:
    return list(iter(buffer.next_frame, None))


@given(cuts=st.lists(st.integers(0, sum(map(len, FRAMES)))))
def test_frames_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream, buffer, found = b"".join(FRAMES), framing.FrameBuffer(4096), []

    borders = [0, *sorted(cuts), len(stream)]
    for start, end in itertools.pairwise(borders):
        buffer.feed(stream[start:end])
        found += drained(buffer)

    assert [struct.pack(">BHI", k, c, len(p)) + p + b"\xce" for k, c, p in found] == list(FRAMES)


@given(junk=st.binary(max_size=300))
def test_junk_is_refused_or_waits_for_more(junk: bytes) -> None:
    buffer = framing.FrameBuffer(4096)
    buffer.feed(junk)

    with contextlib.suppress(Refusal):
        drained(buffer)


@given(payload=st.binary(max_size=200), frame=st.sampled_from(FRAMES), at=st.integers(0, 200))
def test_a_damaged_payload_is_refused_or_read_but_nothing_else(payload: bytes, frame: bytes, at: int) -> None:
    damaged = frame[7:-1][:at] + payload

    for decode in (framing.decode_method, framing.decode_header):
        with contextlib.suppress(Refusal, DeprecationWarning):
            decode(damaged)


def test_a_frame_above_the_negotiated_size_is_refused_before_it_is_buffered() -> None:
    buffer = framing.FrameBuffer(4096)
    buffer.feed(struct.pack(">BHI", 1, 1, 4089))

    with pytest.raises(Refusal, match="exceeds the negotiated frame_max 4096"):
        buffer.next_frame()


@pytest.mark.parametrize("size", [0, 1, 4088, 4089, 10_000])
def test_a_body_is_cut_into_frames_that_fit(size: int) -> None:
    header = ContentHeader(body_size=size)

    data = framing.content(Basic.GetOk(1, False, "", "k", 0), header, b"x" * size, channel=1, frame_max=4096)  # noqa: FBT003

    buffer = framing.FrameBuffer(4096)
    buffer.feed(data)
    bodies = [payload for kind, _, payload in drained(buffer) if kind == 3]
    assert b"".join(bodies) == b"x" * size
    assert b"" not in bodies
