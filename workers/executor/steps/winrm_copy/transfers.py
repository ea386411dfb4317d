"""The talk about one file: up, pulled, or down. Each can be begun again after it broke off, and goes on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.causes import CAUSES
from contracts.jobs.steps import WinrmCopy
from workers.executor.steps.base import ArtifactWriter, Progress, StepContext, StepFault
from workers.executor.steps.copying import Source, cut, identity
from workers.executor.steps.winrm.connections import Troubled
from workers.executor.steps.winrm.faults import Situation
from workers.executor.steps.winrm_copy.peer import Line, Peer, SendSize

PLACE = "{:015d}\n"

Fault = Callable[[str, str], StepFault]
"""From a cause's code and its detail."""


class Busy(Exception):
    """Another process still holds the half-written file: it ends by itself."""


class Refused(StepFault):
    """The target itself said why it cannot be done. It has removed what was half written."""

    def __init__(self, fault: StepFault) -> None:
        super().__init__(fault.cause.code, acted=fault.acted, **fault.words)


async def answer(peer: Peer, fault: Fault) -> Line:
    """The next line; raises Refused when it tells of a failure, with the cause it names."""
    line = await peer.line()
    if line.get("state") != "failed":
        return line
    code, detail = str(line.get("code")), str(line.get("detail"))
    if code == "busy":
        raise Busy(detail)
    found = fault(code if code in CAUSES else "copy_failed", detail)
    raise Refused(found)


@dataclass(kw_only=True)
class Upload:
    """Implements `Transfer`. With `url` the target fetches the bytes itself."""

    spec: WinrmCopy
    source: Source
    context: StepContext
    fault: Fault
    size: SendSize
    url: Callable[[], Awaitable[str]] | None = None
    moved: int = 0
    _complete: bool = field(default=False, init=False)
    """Everything was sent once: what is then found in place was put there by us."""

    async def run(self, peer: Peer) -> dict[str, Any]:
        source, context = self.source, self.context
        options: dict[str, object] = {
            "op": "put",
            "id": identity(context),
            "path": self.spec.dest,
            "size": source.size,
            "sha256": source.sha256,
            "directory": self.spec.directory,
        }
        if self.url is not None:
            options["url"] = await self.url()
        await peer.begin(options, context.still_mine)
        ready = await answer(peer, self.fault)
        if ready["state"] == "equal":
            return self._outputs(changed=self._complete)
        have = int(ready["have"])
        fits = have <= source.size and ready["prefix"] == await source.sha256_until(have)
        done = await self._bring(peer, have if fits else 0)
        return self._outputs(changed=bool(done["changed"]))

    async def _bring(self, peer: Peer, start: int) -> Line:
        self._tell(start)
        await peer.send(PLACE.format(start).encode())
        if self.url is None:
            try:
                await self._send(peer, start)
            except Troubled as trouble:
                if trouble.diagnosis.situation is not Situation.PIPE_ENDED:
                    raise
        while (line := await answer(peer, self.fault))["state"] == "progress":
            self.moved = max(self.moved, int(line["done"]))
            self._tell(int(line["done"]))
        self._tell(self.source.size)
        return line

    async def _send(self, peer: Peer, start: int) -> None:
        done = start
        async for piece in cut(self.source.read(start), lambda: self.size.bytes):
            self.context.still_mine()
            if done + len(piece) >= self.source.size:
                self._complete = True
            await peer.send(piece)
            done += len(piece)
            self.moved += len(piece)
            self._tell(done)

    def _tell(self, done: int) -> None:
        self.context.report(Progress(done=done, total=self.source.size))

    def _outputs(self, *, changed: bool) -> dict[str, Any]:
        return {
            "path": self.spec.dest,
            "sha256": self.source.sha256,
            "bytes": self.source.size,
            "changed": changed,
        }

    async def give_up(self) -> None:
        if self.source.spooled is not None:
            self.source.spooled.close()


@dataclass(kw_only=True)
class Download:
    """Implements `Transfer`, into a new artifact."""

    spec: WinrmCopy
    context: StepContext
    fault: Fault
    moved: int = 0
    _writer: ArtifactWriter | None = field(default=None, init=False)
    _total: int | None = field(default=None, init=False)

    async def run(self, peer: Peer) -> dict[str, Any]:
        context = self.context
        options = {
            "op": "get",
            "id": identity(context),
            "path": self.spec.src,
            "directory": self.spec.directory,
            "from": self.moved,
        }
        await peer.begin(options, context.still_mine)
        ready = await answer(peer, self.fault)
        total = int(ready["size"])
        if self._total is not None and total != self._total:
            raise self.fault("hash_mismatch", "the file on the target changed while it was copied")
        self._total = total
        writer = self._writer = self._writer or await context.artifacts.create(self._name())
        context.report(Progress(done=self.moved, total=total))
        async for data in peer.data(total - self.moved):
            await writer.write(data)
            self.moved += len(data)
            context.report(Progress(done=self.moved, total=total))
        done = await answer(peer, self.fault)
        return await self._finish(writer, str(done["sha256"]))

    async def _finish(self, writer: ArtifactWriter, sha256: str) -> dict[str, Any]:
        self.context.still_mine()
        stored = await writer.finish(sha256=sha256)
        self._writer = None
        return {
            "path": self.spec.src,
            "sha256": stored.sha256,
            "bytes": stored.size,
            "changed": True,
            "artifact": str(stored.id),
        }

    def _name(self) -> str:
        own = (self.spec.src or "").replace("/", "\\").rstrip("\\").rpartition("\\")[2]
        return self.spec.dest or (f"{own}.zip" if self.spec.directory else own) or "file"

    async def give_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.discard()
