"""Bytes to frames and back: AMQP 0-9-1 section 2.3, hardened against whatever a peer may send."""

import struct

from pamqp import frame as codec
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import INDEX_MAPPING
from pamqp.constants import FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_HEARTBEAT, FRAME_METHOD
from pamqp.header import ContentHeader

from infra.embedded.amqp.refusals import Refusal

OVERHEAD = 8
TYPES = {FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT}
PREFIX = struct.Struct(">BHI")
UNREADABLE = (ValueError, KeyError, TypeError, struct.error, OverflowError, OSError, RecursionError)
"""What pamqp raises for bytes that are not AMQP (a UnicodeDecodeError is a ValueError)."""


class FrameBuffer:
    """Cuts the stream into frames; beyond what was just fed it holds at most one incomplete frame."""

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max
        self._bytes = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        del self._bytes[: self._at]
        self._at = 0
        self._bytes += data

    def take(self, count: int) -> bytes | None:
        """Exactly `count` bytes, or None until they are there."""
        if len(self._bytes) - self._at < count:
            return None
        self._at += count
        return bytes(self._bytes[self._at - count : self._at])

    def next_frame(self) -> tuple[int, int, bytes] | None:
        """(type, channel, payload), or None until one is complete. Raises Refusal 501 for anything else."""
        if len(self._bytes) - self._at < PREFIX.size:
            return None
        kind, channel, size = PREFIX.unpack_from(self._bytes, self._at)
        if kind not in TYPES:
            raise Refusal(501, f"type {kind} is not a frame type")
        if size > self.frame_max - OVERHEAD:
            raise Refusal(501, f"a frame of {size} bytes exceeds the negotiated frame_max {self.frame_max}")
        start = self._at + PREFIX.size
        if len(self._bytes) <= start + size:
            return None
        if self._bytes[start + size] != FRAME_END:
            raise Refusal(501, f"a frame of {size} bytes does not end with the frame-end octet")
        self._at = start + size + 1
        return kind, channel, bytes(self._bytes[start : start + size])


def decode_method(payload: bytes) -> Frame:
    """Raises Refusal: 503 for a method AMQP does not have, 502 for arguments that cannot be read."""
    kind = INDEX_MAPPING.get(int.from_bytes(payload[:4], "big"))
    if kind is None:
        raise Refusal(503, f"unknown method {payload[:4].hex()}")
    method: Frame = kind()
    try:
        method.unmarshal(payload[4:])
    except UNREADABLE as error:
        raise Refusal(502, f"cannot read the arguments of {method.name}: {error}") from error
    return method


def decode_header(payload: bytes) -> ContentHeader:
    """Raises Refusal 502 when the properties cannot be read, or could not be written again."""
    header = ContentHeader()
    try:
        header.unmarshal(payload)
        header.marshal()
    except UNREADABLE as error:
        raise Refusal(502, f"cannot read a content header: {error}") from error
    return header


def content(method: Frame, header: ContentHeader, body: bytes, *, channel: int, frame_max: int) -> bytes:
    """A method with its message: one header frame and as many body frames as `frame_max` asks for."""
    step = frame_max - OVERHEAD
    parts: list[codec.FrameTypes] = [method, header]
    parts += (ContentBody(body[start : start + step]) for start in range(0, len(body), step))
    return b"".join(codec.marshal(part, channel) for part in parts)
