"""A name server of a test's own: answers every question for an IPv4 address with what the test says now."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import Any

_A_RECORD = 1
_HEADER = struct.Struct("!6H")


class Names(asyncio.DatagramProtocol):
    """`address` may change at any time; answers are worth one second."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.port = 0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        end = data.index(b"\0", _HEADER.size) + 5
        question = data[_HEADER.size : end]
        asked = int.from_bytes(question[-4:-2])
        answers = [IPv4Address(self.address)] if asked == _A_RECORD else []
        reply = data[:2] + _HEADER.pack(0, 0x8180, 1, len(answers), 0, 0)[2:] + question
        for answer in answers:
            reply += struct.pack("!HHHIH", 0xC00C, _A_RECORD, 1, 1, 4) + answer.packed
        self._transport.sendto(reply, addr)


@asynccontextmanager
async def a_name_server(address: str) -> AsyncIterator[Names]:
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(
        lambda: Names(address), local_addr=("127.0.0.1", 0)
    )
    try:
        yield names
    finally:
        transport.close()
