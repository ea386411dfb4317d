"""Keeps a handful of services running in one terminal, and ends them all when told to."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from infra.embedded.errors import ServiceFailed
from infra.embedded.restarts import RestartPolicy, restart_delay
from infra.embedded.services import Service

SIGNALS = (signal.SIGINT, signal.SIGTERM)
FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReason:
    """Why everything was stopped, for people, and the exit code that our own process should end with."""

    text: str
    exit_code: int


class Stopping(ServiceFailed):
    """Raised by `start` when the end was called for before the service was ready."""

    code = "stopping"


class Supervisor:
    """Start services in order; stop them in reverse.

    A service that dies is started again after a growing delay; when it keeps dying everything is stopped.
    The first SIGINT or SIGTERM stops gently, a second one kills. Use as an async context manager in the main
    thread: leaving the block stops all. `note` receives one sentence for each thing worth knowing.
    """

    def __init__(self, *, note: Callable[[str], None], policy: RestartPolicy | None = None) -> None:
        self._note = note
        self._policy = policy or RestartPolicy()
        self._services: list[Service] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._reason: StopReason | None = None

    async def __aenter__(self) -> "Supervisor":
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._stop_all()
        finally:
            for number in SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)

    async def start(self, service: Service) -> None:
        """Start it and look after it from now on. Raises what its start raises, or Stopping."""
        starting = asyncio.ensure_future(service.start())
        called_off = asyncio.create_task(self._stopping.wait())
        self._services.append(service)
        try:
            await asyncio.wait({starting, called_off}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
            called_off.cancel()
            await asyncio.gather(starting, called_off, return_exceptions=True)
            if starting.cancelled() or starting.exception():
                self._services.remove(service)  # a start that fails leaves nothing to stop
        if self._reason is not None:
            raise Stopping(f"{service.name} was not started: {self._reason.text}.")
        await starting
        watcher = asyncio.create_task(self._watch(service))
        watcher.add_done_callback(self._on_watcher_done)
        self._watchers.append(watcher)

    async def run(self) -> StopReason:
        """Wait for a signal, `stop`, or a service that keeps dying; then stop everything and say why."""
        await self._stopping.wait()
        await self._stop_all()
        return self._reason or StopReason(text="stopped", exit_code=0)

    def stop(self, text: str, *, exit_code: int = 0) -> None:
        """Call for the end; the first reason counts."""
        if self._reason is None:
            self._reason = StopReason(text=text, exit_code=exit_code)
            self._stopping.set()

    def _on_signal(self, number: signal.Signals) -> None:
        if self._reason is None:
            self._note(f"{number.name}: stopping. Once more to stop at once.")
            self.stop(number.name)
            return
        self._note(f"{number.name} again: stopping at once.")
        for service in reversed(self._services):
            service.kill()

    async def _watch(self, service: Service) -> None:
        deaths: list[float] = []
        while await self._restart(service, await service.wait(), deaths):
            self._note(f"{service.name} is running again.")

    async def _restart(self, service: Service, how: str, deaths: list[float]) -> bool:
        loop, policy = asyncio.get_running_loop(), self._policy
        while True:
            deaths.append(loop.time())
            del deaths[:-100]
            delay = restart_delay(deaths, policy)
            if delay is None:
                text = f"{service.name} ended {policy.deaths} times within {policy.within:g} s, last: {how}"
                self._note(f"{text}. Giving up.")
                self.stop(text, exit_code=FAILED)
                return False
            self._note(f"{service.name} ended ({how}). Starting it again in {delay:g} s.")
            await asyncio.sleep(delay)
            try:
                await service.start()
            except ServiceFailed as error:
                how = str(error)
                continue
            return True

    def _on_watcher_done(self, watcher: asyncio.Task[None]) -> None:
        if not watcher.cancelled() and (bug := watcher.exception()):
            self.stop(f"the supervisor failed: {bug!r}", exit_code=FAILED)

    async def _stop_all(self) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        failures: list[Exception] = []
        while self._services:
            service = self._services[-1]
            try:
                await service.stop()
                self._note(f"{service.name} stopped.")
            except Exception as error:  # the others have to stop all the same
                failures.append(error)
            self._services.remove(service)
        if failures:
            raise ExceptionGroup("could not stop everything", failures)
