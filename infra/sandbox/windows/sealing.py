"""The multipart wrapping of sealed messages (MS-WSMV 2.2.9.1.1)."""

import struct

from infra.sandbox.windows.ntlm import NtlmRefused, Sealing

PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
BOUNDARY = b"--Encrypted Boundary"
LENGTH_BYTES = 4
OCTETS = b"Content-Type: application/octet-stream\r\n"


def is_sealed(content_type: str) -> bool:
    """CredSSP sends messages of more than 16 KiB in several parts, under a name of their own."""
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def unwrap(body: bytes, sealing: Sealing) -> bytes:
    """The message inside; NtlmRefused when it cannot be opened with this connection's keys."""
    start = body.find(OCTETS)
    payload = body[start + len(OCTETS) :] if start >= 0 else b""
    end = payload.rfind(BOUNDARY + b"--")
    payload = payload[:end] if end >= 0 else payload
    if len(payload) < LENGTH_BYTES:
        raise NtlmRefused("not a sealed message")
    (length,) = struct.unpack("<I", payload[:LENGTH_BYTES])
    return sealing.open(payload[LENGTH_BYTES:][:length], payload[LENGTH_BYTES + length :])


def wrap(message: bytes, sealing: Sealing) -> bytes:
    signature, sealed = sealing.seal(message)
    head = (
        b"%s\r\n\tContent-Type: %s\r\n"
        b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n%s\r\n\t"
    ) % (BOUNDARY, PROTOCOL.encode(), len(message), BOUNDARY)
    return head + OCTETS + struct.pack("<I", len(signature)) + signature + sealed + BOUNDARY + b"--\r\n"
