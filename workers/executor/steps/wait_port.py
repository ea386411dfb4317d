"""`wait.port`: try a TCP port until it is as it should be. Left behind, it is simply begun again."""

import asyncio
import os
import re
import time
from collections.abc import Sequence
from typing import ClassVar

from contracts.binding import BindingRefused, fill
from contracts.jobs.steps import WaitPort
from infra.egress import Egress, EgressFault
from workers.executor.steps.base import Handle, StepContext, StepFault, StepOutcome

OPEN, UNRESOLVED = "open", "the name does not resolve"
HOST = re.compile(r"[^\s/@:\[\]]+|[0-9A-Fa-f:.]+(?:%\w+)?")
"""A name or IPv4 address, or an IPv6 address; no URL, no port."""


class WaitPortAttempt:
    def __init__(
        self, spec: WaitPort, context: StepContext, host: str, egress: Egress, *, ours: bool
    ) -> None:
        self.handle: Handle = {}
        self._spec = spec
        self._context = context
        self._host = host
        self._egress = egress
        self._ours = ours
        self._stopped = asyncio.Event()

    def _is_as_wanted(self, found: str) -> bool:
        """A name that nobody knows says nothing of the port."""
        closed = found != OPEN and not found.startswith(UNRESOLVED)
        return found == OPEN if self._spec.state == "open" else closed

    async def follow(self) -> StepOutcome:
        began, told = time.monotonic(), ""
        while not self._stopped.is_set():
            found = await self._look()
            seconds = time.monotonic() - began
            if found != told:
                told = found
                await self._say(f"{self._host}:{self._spec.port} after {seconds:.1f} s: {found}")
            if self._is_as_wanted(found):
                return StepOutcome(outcome="succeeded", outputs={"seconds": round(seconds, 1)})
            try:
                await asyncio.wait_for(self._stopped.wait(), self._spec.interval_sec)
            except TimeoutError:
                continue
        return StepOutcome(outcome="failed")

    async def _say(self, line: str) -> None:
        await self._context.output.write("stdout", f"{line}\n".encode())

    async def _look(self) -> str:
        """`open`, or why it is not. Raises `StepFault` for a host we may not talk to."""
        try:
            addresses = await self._egress.addresses(self._host, self._spec.port, checked=not self._ours)
        except EgressFault as fault:
            if fault.code == "name_unresolved":
                return f"{UNRESOLVED} ({fault.detail})"
            raise StepFault(fault.code, host=fault.host, port=fault.port, detail=fault.detail) from fault
        return await self._try(addresses)

    async def _try(self, addresses: Sequence[str]) -> str:
        reason = "it has no address"
        for address in addresses:
            try:
                async with asyncio.timeout(self._spec.connect_timeout_sec):
                    _, writer = await asyncio.open_connection(address, self._spec.port)
            except TimeoutError:
                reason = "no answer in time"
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else str(error)
            else:
                writer.transport.abort()
                return OPEN
        return reason

    async def stop(self) -> bool:
        self._stopped.set()
        return True

    async def release(self) -> None:
        """Nothing is left anywhere."""

    async def detach(self) -> None:
        """Nothing is held anywhere."""


class WaitPortPlugin:
    """Implements `StepPlugin[WaitPort]`. Other hosts than targets have to keep the rules of egress."""

    type: ClassVar[str] = "wait.port"

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def start(self, spec: WaitPort, context: StepContext) -> WaitPortAttempt:
        if spec.host is None:
            if context.target is None:
                raise StepFault("target_missing")
            return WaitPortAttempt(spec, context, context.target.hostname, self._egress, ours=True)
        try:
            host = fill(spec.host, context.parameters).strip()
        except BindingRefused as refused:
            raise StepFault("step_invalid", detail=str(refused)) from None
        if not HOST.fullmatch(host):
            detail = f"host is a name or an address, with nothing before or behind it, and not {host!r}"
            raise StepFault("step_invalid", detail=detail)
        return WaitPortAttempt(spec, context, host, self._egress, ours=False)

    async def resume(self, spec: WaitPort, context: StepContext, handle: Handle) -> WaitPortAttempt:
        return await self.start(spec, context)

    async def tidy(self, spec: WaitPort, context: StepContext, handle: Handle | None) -> None:
        """A connection leaves nothing behind."""

    def leaves(self, spec: WaitPort, context: StepContext) -> str:
        return "nothing"

    async def close(self) -> None:
        """The way out belongs to who made it."""
