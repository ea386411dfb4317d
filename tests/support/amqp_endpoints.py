"""The two brokers one suite runs against: our embedded endpoint and a real RabbitMQ."""

import os
from collections.abc import Awaitable, Callable

from aio_pika.abc import AbstractConnection
from yarl import URL

from infra.embedded.amqp import AmqpServer
from tests.support.ports import free_port
from tests.support.tcp_relay import TcpRelay

RABBITMQ_URL = os.environ.get("OPS_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")


class EmbeddedEndpoint:
    embedded = True

    def __init__(self) -> None:
        self._server = AmqpServer(port=free_port(), username="tester", password="only for this test")

    async def start(self) -> None:
        await self._server.start()
        self._relay = TcpRelay("127.0.0.1", self._server.port)
        await self._relay.start()
        self.url = f"amqp://tester:only%20for%20this%20test@127.0.0.1:{self._server.port}/"
        self.relayed_url = str(URL(self.url).with_port(self._relay.port))

    async def go_down(self) -> None:
        await self._server.stop()

    async def come_back(self) -> None:
        port = self._server.port
        self._server = AmqpServer(port=port, username="tester", password="only for this test")
        await self._server.start()

    async def cut(self) -> None:
        await self._relay.cut()

    async def stop(self) -> None:
        await self._relay.stop()
        await self._server.stop()


class RabbitEndpoint:
    """The shared RabbitMQ behind a relay: an outage is a relay that does not answer."""

    embedded = False

    async def start(self) -> None:
        target = URL(RABBITMQ_URL)
        self._relay = TcpRelay(target.host or "127.0.0.1", target.port or 5672)
        await self._relay.start()
        self.url = str(target.with_host("127.0.0.1").with_port(self._relay.port))
        self.relayed_url = self.url

    async def go_down(self) -> None:
        await self._relay.stop()

    async def come_back(self) -> None:
        await self._relay.start()

    async def cut(self) -> None:
        await self._relay.cut()

    async def stop(self) -> None:
        await self._relay.stop()


Endpoint = EmbeddedEndpoint | RabbitEndpoint
Connect = Callable[[], Awaitable[AbstractConnection]]
Name = Callable[[str], str]
