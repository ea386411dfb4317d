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

from infra.embedded.amqp.framing import FRAME_MAX, Refusal, next_frame
from infra.embedded.amqp.queues import Message

FRAMES = (
    codec.marshal(Queue.Declare(queue="q", arguments={"x-queue-type": "quorum"}), 1),
    codec.marshal(Basic.Publish(exchange="e", routing_key="k", mandatory=True), 1),
    codec.marshal(ContentHeader(body_size=3, properties=Basic.Properties(headers={"a": [1, {"b": 2.5}]})), 1),
    b"\x03\x00\x01\x00\x00\x00\x03abc\xce",
    b"\x08\x00\x00\x00\x00\x00\x00\xce",
)


def drained(buffer: bytearray) -> list[tuple[int, codec.FrameTypes, int]]:
    frames = []
    while found := next_frame(buffer):
        frames.append(found)
    return frames


@given(cuts=st.lists(st.integers(0, sum(map(len, FRAMES)))))
def test_frames_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream, buffer, found = b"".join(FRAMES), bytearray(), []

    borders = [0, *sorted(cuts), len(stream)]
    for start, end in itertools.pairwise(borders):
        buffer += stream[start:end]
        found += drained(buffer)

    assert [codec.marshal(frame, channel) for channel, frame, _ in found] == list(FRAMES)
    assert [size for _, _, size in found] == [len(frame) for frame in FRAMES]
    assert not buffer


@given(junk=st.binary(max_size=300))
def test_junk_is_refused_or_waits_for_more(junk: bytes) -> None:
    with contextlib.suppress(Refusal):
        drained(bytearray(junk))


@given(payload=st.binary(max_size=200), frame=st.sampled_from(FRAMES), at=st.integers(0, 200))
def test_a_damaged_payload_is_refused_or_read_but_nothing_else(payload: bytes, frame: bytes, at: int) -> None:
    damaged = frame[7:-1][:at] + payload
    prefix = frame[:3] + struct.pack(">I", len(damaged))

    with contextlib.suppress(Refusal, DeprecationWarning):
        drained(bytearray(prefix + damaged + b"\xce"))


def test_a_frame_above_the_negotiated_size_is_refused_before_it_is_buffered() -> None:
    with pytest.raises(Refusal, match="exceeds the negotiated frame_max 131072"):
        next_frame(bytearray(struct.pack(">BHI", 1, 1, FRAME_MAX - 7)))


def test_a_name_that_could_not_be_sent_again_is_refused() -> None:
    declare = bytearray(codec.marshal(Queue.Declare(queue="a" * 100), 1))

    with pytest.raises(Refusal, match="cannot read a frame"):
        next_frame(bytearray(declare.replace(b"a" * 100, b"\n" * 100)))


@pytest.mark.parametrize("size", [0, 1, 4088, 4089, 10_000])
def test_a_body_is_cut_into_frames_that_fit(size: int) -> None:
    message = Message("", "key", Basic.Properties(), b"x" * size, size)

    header, *bodies = (codec.marshal(frame, 1) for frame in message.frames(4096))

    assert max(len(frame) for frame in (header, *bodies)) <= 4096
    assert b"".join(body[7:-1] for body in bodies) == b"x" * size
    assert all(len(body) > 8 for body in bodies)
