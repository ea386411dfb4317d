"""The connections of one attempt: one for the command, made anew when it drops, and one to control it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from infra.blocking import BlockingPool
from workers.executor.steps.base import OpenedCredential, StepFault
from workers.executor.steps.winrm.endpoint import Endpoint, Limits
from workers.executor.steps.winrm.faults import Diagnosis, Situation, diagnose
from workers.executor.steps.winrm.tls import ClientCertificateUnusable
from workers.executor.steps.winrm.transport import WinrmClient

P = ParamSpec("P")
T = TypeVar("T")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
WORTH_REPEATING = {Situation.BUSY, Situation.FULL, Situation.LOST, Situation.SILENT}


class Troubled(Exception):
    """A call failed in a way the caller may handle; `diagnosis` says how."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        super().__init__(diagnosis.code)


def said_by(error: Troubled | TimeoutError) -> str:
    """In words: why a host did not do what it was asked for in good time."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.diagnosis.detail or error.diagnosis.code


@dataclass(slots=True)
class Pools:
    """Receives block for long, so what starts and stops commands has threads of its own."""

    receiving: BlockingPool
    control: BlockingPool


@dataclass(slots=True)
class Connection:
    """One client at a time, used for one call at a time."""

    endpoint: Endpoint
    credential: OpenedCredential
    operation_seconds: int
    pool: BlockingPool
    refusals: list[Diagnosis]
    """Shared by the connections of an attempt: after a rejected login nobody tries again (lock-out)."""
    _client: WinrmClient | None = None
    _pending: set[asyncio.Future[object]] = field(default_factory=set)

    def begin(
        self,
        call: Callable[Concatenate[WinrmClient, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[T]:
        """Start a call in a thread; its exceptions are pywinrm's. Raises Troubled after a rejected login."""
        if self.refusals:
            raise Troubled(self.refusals[0])
        if self._client is None:
            self._client = self._new_client()
        future = self.pool.submit(call, self._client, *args, **kwargs)
        self._pending.add(future)  # type: ignore[arg-type]
        future.add_done_callback(self._ended)
        return future

    def _new_client(self) -> WinrmClient:
        try:
            return WinrmClient(self.endpoint, self.credential, self.operation_seconds)
        except ClientCertificateUnusable as error:
            diagnosis = Diagnosis(Situation.FINAL, "certificate_unusable", str(error))
            raise Troubled(diagnosis) from error

    def _ended(self, future: asyncio.Future[T]) -> None:
        self._pending.discard(future)
        if not future.cancelled():
            future.exception()  # seen: an abandoned call is nobody's error

    async def run(
        self,
        call: Callable[Concatenate[WinrmClient, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The call's result. Raises Troubled."""
        return await self.result(self.begin(call, *args, **kwargs))

    async def result(self, future: asyncio.Future[T]) -> T:
        """What a begun call returned. Cancelling this leaves the call under way. Raises Troubled."""
        try:
            return await asyncio.shield(future)
        except Exception as error:
            diagnosis = self.diagnose(error)
            if diagnosis.code == "auth_rejected":
                self.refusals.append(diagnosis)
            raise Troubled(diagnosis) from error

    async def persistently(
        self,
        action: Callable[[], Awaitable[T]],
        *,
        window: float,
        on_lost: Callable[[Diagnosis], Awaitable[None]] | None = None,
    ) -> T:
        """Repeat `action` while the host is busy or the connection drops, for at most `window` seconds.

        `on_lost` is told of the first drop of a row. Raises Troubled for all else, and when the window ends.
        """
        loop = asyncio.get_running_loop()
        deadline, pause, told = loop.time() + window, FIRST_PAUSE_SECONDS, False
        while True:
            try:
                return await action()
            except Troubled as trouble:
                situation = trouble.diagnosis.situation
                if situation not in WORTH_REPEATING or loop.time() > deadline:
                    raise
                if situation in {Situation.LOST, Situation.SILENT}:
                    await self.drop()
                    if on_lost is not None and not told:
                        told = True
                        await on_lost(trouble.diagnosis)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def diagnose(self, error: BaseException) -> Diagnosis:
        offered = self._client.offered if self._client is not None else ()
        settings = self.endpoint.settings
        tls = settings.scheme == "https"
        return diagnose(error, transport=settings.transport, offered=offered, tls=tls)

    def fault(self, diagnosis: Diagnosis, *, acted: bool) -> StepFault:
        """As the plug-in reports it. A host that is lost after the command could run is `connection_lost`."""
        code = diagnosis.code
        if acted and code == "unreachable":
            code = "connection_lost"
        return self.endpoint.fault(code, diagnosis.detail, user=self.credential.username, acted=acted)

    async def drop(self) -> None:
        """Close the client, ending a call that still blocks; the next call connects anew."""
        client, self._client = self._client, None
        if client is None:
            return
        client.interrupt()
        if self._pending:
            await asyncio.wait(self._pending, timeout=self.operation_seconds)
        await self.pool.run(client.close)


def operation_seconds(limits: Limits, step_seconds: float) -> int:
    """A silent host must not hold a short step for long."""
    return max(1, min(limits.operation, int(step_seconds) + 2))
