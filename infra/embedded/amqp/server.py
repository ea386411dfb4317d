"""The listening socket: starts, counts its connections, and ends them all."""

import asyncio

from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.connection import Connection

LOOPBACK = ("127.0.0.1", "::1")
MEMORY_BYTES = 256 * 1024 * 1024


class AmqpServer:
    """An AMQP 0-9-1 endpoint in this process, in memory, for this machine only.

    `memory` bounds the bytes of all messages held: beyond it a confirming publisher gets Basic.Nack and any
    other its connection closed with 506 RESOURCE_ERROR. One that is still arriving has at most 1 MiB.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int, username: str, password: str, memory: int = MEMORY_BYTES
    ) -> None:
        if host not in LOOPBACK:
            raise ValueError(f"it serves loopback addresses only, not {host!r}: use 127.0.0.1, or RabbitMQ")
        if not username or not password or port not in range(2**16):
            raise ValueError("it needs a username and a password, and a port up to 65535")
        self.port = port
        self._host = host
        self._login = f"{username}\x00{password}".encode()
        self._broker = Broker(memory_limit=memory)
        self._open_now: set[Connection] = set()

    async def start(self) -> None:
        """Listen; `port` is then the actual one. Raises OSError when it cannot."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._broker, self._login, self._open_now), self._host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection with 320 CONNECTION_FORCED; who does not answer is cut off."""
        self._server.close()
        connections = list(self._open_now)
        for connection in connections:
            connection.close(320, "CONNECTION_FORCED - the embedded endpoint is shutting down")
        await asyncio.gather(*(connection.lost for connection in connections))
        await self._server.wait_closed()
