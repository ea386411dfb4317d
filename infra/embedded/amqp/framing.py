"""Bytes to frames, hardened against whatever a peer may send, and what is answered to it (AMQP 0-9-1)."""

from pamqp import base, frame, header
from pamqp.exceptions import CLASS_MAPPING, AMQPHardError

FRAME_MIN = 4_096
FRAME_MAX = 131_072
FRAME_OVERHEAD = 8


class Refusal(Exception):
    """Closes the channel or, for what AMQP calls a hard error, the connection; the text is for a person."""

    def __init__(self, code: int, reason: str) -> None:
        kind = CLASS_MAPPING[code]
        self.code = code
        self.closes_connection = issubclass(kind, AMQPHardError)
        text = f"{kind.__dict__['name'].replace('-', '_')} - {reason}"
        self.text = text.encode()[:255].decode(errors="ignore")
        super().__init__(self.text)


def not_implemented(thing: str) -> Refusal:
    return Refusal(540, f"the embedded endpoint does not implement {thing}; use RabbitMQ for that")


def take(buffer: bytearray, count: int) -> bytes | None:
    """Exactly `count` bytes off the front of the buffer, or None until they are there."""
    if len(buffer) < count:
        return None
    taken = bytes(buffer[:count])
    del buffer[:count]
    return taken


def next_frame(buffer: bytearray) -> tuple[int, frame.FrameTypes, int] | None:
    """(channel, frame, its size in bytes), or None until one is complete. Raises Refusal 501."""
    payload = int.from_bytes(buffer[3:7])
    if payload > FRAME_MAX - FRAME_OVERHEAD:
        raise Refusal(501, f"a frame of {payload} bytes exceeds the negotiated frame_max {FRAME_MAX}")
    raw = take(buffer, payload + FRAME_OVERHEAD)
    if raw is None:
        return None
    try:
        _, channel, decoded = frame.unmarshal(raw)
        if isinstance(decoded, base.Frame):
            decoded.validate()
        elif isinstance(decoded, header.ContentHeader):
            decoded.marshal()  # what cannot be written again could not be delivered
    except Exception as error:  # pamqp has no error of its own for most bytes that are not AMQP
        raise Refusal(501, f"cannot read a frame of {len(raw)} bytes: {error}") from error
    return channel, decoded, len(raw)
