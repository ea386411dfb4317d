"""Bytes to frames and back: AMQP 0-9-1 section 2.3, hardened against whatever a peer may send."""

import struct
from collections.abc import Iterator

from pamqp import frame as codec
from pamqp.base import Frame
from pamqp.commands import INDEX_MAPPING, Basic
from pamqp.constants import FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_HEARTBEAT, FRAME_METHOD
from pamqp.header import ContentHeader

from infra.embedded.amqp.refusals import Refusal

FRAME_OVERHEAD = 8
FRAME_TYPES = {FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT}
FRAME_PREFIX = struct.Struct(">BHI")
FRAME_SUFFIX = bytes([FRAME_END])
BASIC_DELIVER = struct.pack(">I", Basic.Deliver.index)
DELIVERY = struct.Struct(">QB")
MALFORMED = (ValueError, KeyError, TypeError, struct.error, OverflowError, OSError, RecursionError)
"""What pamqp raises for bytes that are not AMQP (a UnicodeDecodeError is a ValueError)."""


class FrameBuffer:
    """Cuts the stream into frames and never holds more than one incomplete frame beyond what was fed."""

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max
        self._bytes = bytearray()
        self._position = 0

    def feed(self, data: bytes) -> None:
        del self._bytes[: self._position]
        self._position = 0
        self._bytes += data

    def take(self, count: int) -> bytes | None:
        """Exactly `count` bytes, or None until they are there."""
        if len(self._bytes) - self._position < count:
            return None
        self._position += count
        return bytes(self._bytes[self._position - count : self._position])

    def next_frame(self) -> tuple[int, int, bytes] | None:
        """(type, channel, payload), or None until one is complete. Raises Refusal 501 for anything else."""
        start = self._position
        if len(self._bytes) - start < FRAME_PREFIX.size:
            return None
        kind, channel, size = FRAME_PREFIX.unpack_from(self._bytes, start)
        if kind not in FRAME_TYPES:
            raise Refusal(501, f"type {kind} is not a frame type")
        if size > self.frame_max - FRAME_OVERHEAD:
            raise Refusal(501, f"a frame of {size} bytes exceeds the negotiated frame_max {self.frame_max}")
        end = start + FRAME_PREFIX.size + size
        if len(self._bytes) <= end:
            return None
        if self._bytes[end] != FRAME_END:
            raise Refusal(501, f"a frame of {size} bytes does not end with the frame-end octet")
        self._position = end + 1
        return kind, channel, bytes(self._bytes[start + FRAME_PREFIX.size : end])


def decode_method(payload: bytes) -> Frame:
    """Raises Refusal: 503 for a method AMQP does not have, 502 for arguments that cannot be read."""
    method = INDEX_MAPPING.get(int.from_bytes(payload[:4], "big"))
    if method is None:
        raise Refusal(503, f"unknown method {payload[:4].hex()}")
    arguments: Frame = method()
    try:
        arguments.unmarshal(payload[4:])
    except MALFORMED as error:
        raise Refusal(502, f"cannot read the arguments of {arguments.name}: {error}") from error
    return arguments


def decode_header(payload: bytes) -> ContentHeader:
    """Raises Refusal 502 when the properties cannot be read, or could not be written again."""
    header = ContentHeader()
    try:
        header.unmarshal(payload)
        header.marshal()
    except MALFORMED as error:
        raise Refusal(502, f"cannot read a content header: {error}") from error
    return header


def deliver_method(tag: str, delivery_tag: int, exchange: str, key: str, *, redelivered: bool) -> bytes:
    """The payload of Basic.Deliver; the one method that is sent too often for pamqp's generic encoder."""
    strings = [text.encode() for text in (tag, exchange, key)]
    name, source, routing = (bytes([len(text)]) + text for text in strings)
    return b"".join((BASIC_DELIVER, name, DELIVERY.pack(delivery_tag, redelivered), source, routing))


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return b"".join((FRAME_PREFIX.pack(kind, channel, len(payload)), payload, FRAME_SUFFIX))


def method_frame(method: Frame, channel: int) -> bytes:
    return codec.marshal(method, channel)


def content_frames(channel: int, header: bytes, body: bytes, frame_max: int) -> Iterator[bytes]:
    """The header frame and as many body frames as `frame_max` asks for (none for an empty body)."""
    yield frame(FRAME_HEADER, channel, header)
    step = frame_max - FRAME_OVERHEAD
    for start in range(0, len(body), step):
        yield frame(FRAME_BODY, channel, body[start : start + step])
