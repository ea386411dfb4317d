"""`python -m infra.embedded.amqp`: serve until SIGTERM. Settings come from the environment."""

import asyncio
import os
import signal
import sys

import uvloop

from infra.embedded.amqp.server import AmqpServer

REQUIRED = ("OPS_EMBEDDED_AMQP_PORT", "OPS_EMBEDDED_AMQP_USERNAME", "OPS_EMBEDDED_AMQP_PASSWORD")


async def serve() -> None:
    if missing := [name for name in REQUIRED if not os.environ.get(name)]:
        sys.exit(f"The embedded AMQP endpoint cannot start: set {', '.join(missing)} in the environment.")
    port, username, password = (os.environ[name] for name in REQUIRED)
    host = os.environ.get("OPS_EMBEDDED_AMQP_HOST", "127.0.0.1")
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        server = AmqpServer(host=host, port=int(port), username=username, password=password)
        await server.start()
    except (ValueError, OSError) as error:
        sys.exit(f"The embedded AMQP endpoint cannot listen on {host}:{port}: {error}")
    await stopping.wait()
    await server.stop()


if __name__ == "__main__":
    uvloop.run(serve())
