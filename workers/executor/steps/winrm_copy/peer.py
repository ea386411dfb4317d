"""One copying process on the target, spoken to over its stdin and stdout."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.faults import Situation
from workers.executor.steps.winrm.names import ShellNames
from workers.executor.steps.winrm.reaching import Reach
from workers.executor.steps.winrm.shells import delete
from workers.executor.steps.winrm.transport import WinrmClient
from workers.executor.steps.winrm_copy.bootstrap import command_line, opening
from workers.executor.steps.winrm_copy.script import COPY_SCRIPT
from workers.executor.steps.winrm_exec.clixml import ClixmlDecoder

SEND_STEPS = (30_000, 100_000, 370_000)
"""Raw bytes of one Send: with base64 and envelope they fit MaxEnvelopeSizekb of 50, 150 and 500."""
LINE_BYTES = 64 * 1024
SHOWN_CHARACTERS = 300

Line = Mapping[str, Any]


class Ended(Exception):
    """The process has ended without the line that was waited for; `detail` is what it said instead."""

    def __init__(self, exit_code: int, detail: str) -> None:
        self.exit_code = exit_code
        self.detail = detail
        super().__init__(detail)


class SendSize:
    """How much one Send carries: begins small, grows, and falls back for good when the host refuses it."""

    def __init__(self) -> None:
        self._place, self._most = 1, len(SEND_STEPS) - 1

    @property
    def bytes(self) -> int:
        return SEND_STEPS[self._place]

    def taken(self) -> None:
        self._place = min(self._place + 1, self._most)

    def refused(self) -> bool:
        """False when there is no smaller size to try."""
        self._most = max(0, self._place - 1)
        smaller = self._place > 0
        self._place = self._most
        return smaller


class Peer:
    """Its calls raise Troubled; what was in flight then is lost, so another process has to go on."""

    def __init__(self, command: Connection, shell_id: str, command_id: str, size: SendSize) -> None:
        self.shell_id = shell_id
        self._command = command
        self._command_id = command_id
        self._size = size
        self._read = bytearray()
        self._errors = ""
        self._clixml = ClixmlDecoder()
        self._exit_code: int | None = None
        self.sent = 0
        """Bytes given to the process, script included."""

    @classmethod
    async def start(cls, reach: Reach, command: Connection, names: ShellNames, size: SendSize) -> "Peer":
        """A process that waits for its script. Raises StepFault."""
        program, arguments = command_line()
        ids = await reach.gated_command(command, names, program, arguments, raw_input=True)
        return cls(command, *ids, size)

    async def begin(self, options: Mapping[str, object], may: Callable[[], None]) -> None:
        """Make it act. `may` raises when nothing may be begun any more."""
        whole = opening(COPY_SCRIPT, options)
        may()
        await self.send(whole)

    async def send(self, data: bytes) -> None:
        """Give it `data`, in smaller pieces where the host takes no large ones."""
        at = 0
        while at < len(data):
            piece = data[at : at + self._size.bytes]
            try:
                await self._command.run(WinrmClient.send, self.shell_id, self._command_id, piece, end=False)
            except Troubled as trouble:
                if trouble.diagnosis.code != "message_too_large" or not self._size.refused():
                    raise
                continue
            at += len(piece)
            self.sent += len(piece)
            self._size.taken()

    async def line(self) -> Line:
        """The next thing it says. Raises Ended when it ends without a word."""
        while b"\n" not in self._read:
            await self._receive()
            if len(self._read) > LINE_BYTES and b"\n" not in self._read[:LINE_BYTES]:
                raise Ended(0, "its answer is not ours")
        text, _, rest = bytes(self._read).partition(b"\n")
        self._read = bytearray(rest)
        try:
            said: Line = json.loads(text)
        except ValueError:
            raise Ended(0, f"its answer is not ours: {text[:80]!r}") from None
        return said

    async def data(self, count: int) -> AsyncIterator[bytes]:
        """The next `count` bytes it writes. Raises Ended."""
        while count:
            if not self._read:
                await self._receive()
            part = bytes(self._read[:count])
            del self._read[: len(part)]
            count -= len(part)
            if part:
                yield part

    async def _receive(self) -> None:
        if self._exit_code is not None:
            shown = " ".join((self._errors + self._clixml.finish()).split())[:SHOWN_CHARACTERS]
            raise Ended(self._exit_code, shown or f"it ended with exit code {self._exit_code}")
        try:
            frame = await self._command.run(WinrmClient.receive, self.shell_id, self._command_id)
        except Troubled as trouble:
            if trouble.diagnosis.situation is not Situation.BUSY:
                raise
            return
        if frame is not None:
            self._read += frame.stdout
            self._errors += self._clixml.feed(frame.stderr.decode("utf-8", "replace"))
            self._exit_code = frame.exit_code

    async def end(self) -> None:
        """Delete its shell, and it with it. A host that does not answer deletes it by itself later."""
        with contextlib.suppress(Troubled):
            await self.deleted()

    async def deleted(self) -> None:
        """The same; raises Troubled where that cannot be done."""
        await delete(self._command, self.shell_id)
