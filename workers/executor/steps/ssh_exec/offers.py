"""What a server offers to encrypt a connection with, read before anything is agreed on.

A server that finds nothing in common hangs up at once. asyncssh then tells either what it looked for in vain
or only that the connection was lost, as the two happen to be noticed.
"""

import asyncio
import struct
from collections.abc import Sequence

from asyncssh.encryption import get_default_encryption_algs
from asyncssh.kex import get_default_kex_algs

from workers.executor.steps.base import TargetView

LOOK_SECONDS = 5.0
GREETING = b"SSH-2.0-OpsConductor\r\n"
_KEXINIT = 20
_COOKIE = 16
_LARGEST = 35_000
"""Bytes of a packet that everybody has to take (RFC 4253, 6.1)."""


async def nothing_in_common(target: TargetView) -> str:
    """What the server and we have no common way of, with its offer; empty where that is not so or unknown."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            kex, _host_keys, *ciphers = await _offered(target.hostname, target.ssh.port)
    except (OSError, ValueError, struct.error, asyncio.IncompleteReadError):
        return ""  # only a closer look: what failed before is reported as it is
    for kind, ours, theirs in (
        ("key exchange", get_default_kex_algs(), kex),
        ("encryption", get_default_encryption_algs(), ciphers[0]),
    ):
        if not set(ours) & set(theirs):
            return f"no {kind} in common, it offers {b','.join(theirs).decode('ascii', errors='replace')}"
    return ""


async def _offered(host: str, port: int) -> Sequence[list[bytes]]:
    """The lists of names in its first packet: key exchange, host keys, ciphers, and more."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(GREETING)
        while not (line := await reader.readline()).startswith(b"SSH-"):
            if not line:
                raise ValueError("it said nothing")
        size, padding = struct.unpack(">IB", await reader.readexactly(5))
        if size > _LARGEST:
            raise ValueError("no packet of its first messages is that large")
        payload = (await reader.readexactly(size - 1))[: size - 1 - padding]
    finally:
        writer.close()
    return _lists(payload)


def _lists(payload: bytes) -> list[list[bytes]]:
    if not payload or payload[0] != _KEXINIT:
        raise ValueError("it does not begin with what it offers")
    found, place = [], 1 + _COOKIE
    for _ in range(4):
        (size,) = struct.unpack_from(">I", payload, place)
        found.append(payload[place + 4 : place + 4 + size].split(b","))
        place += 4 + size
    return found
