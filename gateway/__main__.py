"""`python -m gateway`: serve HTTP until told to stop, then finish what has begun."""

import signal
import socket
import sys
from types import FrameType

import uvicorn

from contracts.errors import OpsError
from gateway.process import GatewayProcess
from infra.collecting import spare_what_stays
from infra.logging import configure_logging
from infra.settings import Role, Settings, load_settings

DRAIN_SLACK_SECONDS = 5


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Open streams end; other requests have `drain_seconds` to finish."""
    process = GatewayProcess(settings)
    config = uvicorn.Config(
        process.app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="auto",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=int(settings.drain_seconds) + DRAIN_SLACK_SECONDS,
        timeout_keep_alive=75,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _drained)
    server = _Server(config, process)
    server.run()
    if not server.started:
        sys.exit(1)


def _drained(_number: int, _frame: FrameType | None) -> None:
    """The server takes signals itself and raises them again once it has shut down: nothing is left to do."""


class _Server(uvicorn.Server):
    """Ends streams as soon as it is told to stop; they would keep it waiting otherwise."""

    def __init__(self, config: uvicorn.Config, process: GatewayProcess) -> None:
        super().__init__(config)
        self._process = process

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await spare_what_stays()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._process.deps.hub.closing.set()
        await super().shutdown(sockets)


def main() -> None:
    try:
        settings = load_settings(Role.GATEWAY)
    except OpsError as error:
        sys.exit(str(error))
    configure_logging(service="gateway", log_format=settings.log_format, level=settings.log_level)
    serve(settings)


if __name__ == "__main__":
    main()
