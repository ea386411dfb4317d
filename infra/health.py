"""/livez, /readyz and /metrics of a worker process."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.settings import Settings

Readiness = Callable[[], Awaitable[dict[str, str]]]


class _Server(uvicorn.Server):
    """Signals belong to the process, not to its health page."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def readiness_answer(problems: dict[str, str]) -> JSONResponse:
    """200 when nothing is wrong, 503 with every reason otherwise."""
    status = "not ready" if problems else "ready"
    return JSONResponse({"status": status, "problems": problems}, status_code=503 if problems else 200)


class HealthServer:
    """Answers three GET paths beside the work of the process."""

    def __init__(self, settings: Settings, *, readiness: Readiness) -> None:
        self._readiness = readiness
        app = Starlette(
            routes=[
                Route("/livez", self._livez),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
            ]
        )
        self._server = _Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.health_port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens, once started."""
        port: int = self._server.servers[0].sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._task = asyncio.create_task(self._server.serve(), name="health")
        while not self._server.started:
            if self._task.done():
                raise OSError(f"the health port {self._server.config.port} cannot be listened on")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _livez(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self, _request: Request) -> Response:
        return readiness_answer(await self._readiness())

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
