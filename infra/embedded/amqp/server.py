"""The listening socket: starts, counts its connections, and ends them all."""

import asyncio
import ipaddress

from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.connection import Connection

MEMORY_BYTES = 256 * 1024 * 1024
STOP_SECONDS = 2.0
MAX_PORT = 65_535


class AmqpServer:
    """An AMQP 0-9-1 endpoint in this process, in memory, for this machine only.

    `memory` bounds the bytes of all messages held, incomplete ones included: beyond it a confirming
    publisher gets Basic.Nack and any other its connection closed with 506 RESOURCE_ERROR.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int, username: str, password: str, memory: int = MEMORY_BYTES
    ) -> None:
        if not _is_loopback(host):
            raise ValueError(f"it serves loopback addresses only, not {host!r}: use 127.0.0.1, or RabbitMQ")
        if not 0 <= port <= MAX_PORT:
            raise ValueError(f"{port} is not a port number")
        if not username or not password:
            raise ValueError("it needs a username and a password")
        self.host = host
        self.port = port
        self._login = (username, password)
        self._memory_limit = memory
        self._open_now: set[Connection] = set()

    async def start(self) -> None:
        """Listen; `port` is then the actual one. Raises OSError when the port is in use."""
        self._broker = Broker(memory_limit=self._memory_limit)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._broker, *self._login, self._open_now), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection with 320 CONNECTION_FORCED; who does not answer is cut off after 2 s."""
        self._server.close()
        connections = list(self._open_now)
        for connection in connections:
            connection.close(320, "CONNECTION_FORCED - the embedded endpoint is shutting down")
        if connections:
            await asyncio.wait([connection.lost for connection in connections], timeout=STOP_SECONDS)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.lost for connection in connections))
        await self._server.wait_closed()
        self._broker.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
