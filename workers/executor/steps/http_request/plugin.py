"""The `http.request` plug-in: one request, at most once unless it only reads."""

import asyncio
from dataclasses import replace
from typing import ClassVar

from contracts.jobs.steps import HttpRequest
from infra.egress import Ask, Egress, EgressFault
from workers.executor.steps.base import Handle, NotResumable, StepContext, StepFault, StepOutcome
from workers.executor.steps.http_request.building import request_of
from workers.executor.steps.http_request.judging import outcome_of, shown


class HttpAttempt:
    """One request. Its answer comes on the connection it went out on: nobody else can ask for it."""

    def __init__(self, spec: HttpRequest, context: StepContext, ask: Ask, egress: Egress) -> None:
        # Without a handle a lost request is simply sent again, which is right for what only reads.
        self.handle: Handle = {} if spec.only_reads else {"method": spec.method}
        self._spec = spec
        self._context = context
        self._ask = replace(ask, before_sending=self._begin)
        self._sent = False
        self._egress = egress
        self._asking: asyncio.Task[StepOutcome] | None = None

    def _begin(self) -> None:
        self._context.still_mine()
        self._sent = True

    async def follow(self) -> StepOutcome:
        self._asking = asyncio.create_task(self._follow(), name="http.request")
        try:
            return await self._asking
        except asyncio.CancelledError:
            if not self._asking.cancelled():
                self._asking.cancel()
            raise

    async def _follow(self) -> StepOutcome:
        try:
            answer = await self._egress.ask(self._ask)
        except EgressFault as fault:
            raise self._step_fault(fault) from fault
        await self._context.output.write("stdout", shown(answer))
        outcome = outcome_of(self._spec, answer, self._context.parameters)
        words = {"host": self._context_host(answer.url)} | dict(outcome.words)
        return StepOutcome(outcome=outcome.outcome, cause=outcome.cause, words=words, outputs=outcome.outputs)

    def _step_fault(self, fault: EgressFault) -> StepFault:
        """Only an answer that never came leaves open what the request did."""
        unclear = fault.sent and fault.code == "connection_lost" and not self._spec.only_reads
        return StepFault(fault.code, acted=unclear, host=fault.host, port=fault.port, detail=fault.detail)

    @staticmethod
    def _context_host(url: str) -> str:
        return url.partition("://")[2].partition("/")[0]

    async def stop(self) -> bool:
        """Hang up. What a request that changes something has done by then, nobody can say."""
        if self._asking is None or self._asking.done():
            return True
        self._asking.cancel()
        await asyncio.wait({self._asking})
        return self._spec.only_reads or not self._sent

    async def release(self) -> None:
        """Nothing is left anywhere."""

    async def detach(self) -> None:
        if self._asking is not None:
            self._asking.cancel()


class HttpRequestPlugin:
    """Implements `StepPlugin[HttpRequest]` over the way out that it is given."""

    type: ClassVar[str] = "http.request"

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def start(self, spec: HttpRequest, context: StepContext) -> HttpAttempt:
        credential = context.credential if spec.credential is not None else None
        if spec.named_credential is not None and credential is None:
            raise StepFault("credential_unfit", detail=f"there is no credential named {spec.credential}")
        ask = request_of(spec, context.parameters, credential)
        return HttpAttempt(spec, context, ask, self._egress)

    async def resume(self, spec: HttpRequest, context: StepContext, handle: Handle) -> HttpAttempt:
        if spec.only_reads:
            return await self.start(spec, context)
        raise NotResumable(f"the answer to a {spec.method} went to the lost worker")

    async def tidy(self, spec: HttpRequest, context: StepContext, handle: Handle | None) -> None:
        """A request leaves nothing behind."""

    def leaves(self, spec: HttpRequest, context: StepContext) -> str:
        return "nothing"

    async def close(self) -> None:
        self._egress.close()
