"""From the bytes of a command to the output sink: marker off, text decoded, CLIXML read."""

from workers.executor.steps.base import OutputSink, Stream
from workers.executor.steps.winrm_exec.clixml import ClixmlDecoder
from workers.executor.steps.winrm_exec.decoding import OpenedMarker, TextDecoder

TAIL_CHARACTERS = 4096
LOST_BEFORE = "output from before another worker took over was lost with the first one"


class Output:
    """Both streams of one command. Writes UTF-8; keeps the end of stderr for the diagnosis."""

    def __init__(self, sink: OutputSink, opened_line: bytes, oem_codepage: str, *, resumed: bool) -> None:
        self._sink = sink
        self._marker = OpenedMarker(opened_line)
        self._stdout = TextDecoder(oem_codepage)
        self._stderr = TextDecoder(oem_codepage)
        self._clixml = ClixmlDecoder()
        self._resumed = resumed
        self.lossy = resumed
        """Something may be missing, perhaps the line that says that the gate has opened."""
        self.error_tail = ""

    @property
    def gate_opened(self) -> bool:
        """True when the bootstrap said so on this stream."""
        return self._marker.seen is True

    async def write(self, stdout: bytes, stderr: bytes) -> None:
        before = self._marker.seen
        after_marker = self._marker.feed(stdout) if stdout else b""
        if before is None and self._marker.seen is False:
            await self._beginning_lost()
        await self._put("stdout", self._stdout.feed(after_marker))
        await self._put("stderr", self._clixml.feed(self._stderr.feed(stderr)))

    async def finish(self) -> None:
        """Write what was held back; nothing more will come."""
        undecided = self._marker.seen is None
        held = self._marker.finish()
        if undecided:
            await self._beginning_lost()
        await self._put("stdout", self._stdout.feed(held) + self._stdout.finish())
        last = self._clixml.feed(self._stderr.finish()) + self._clixml.finish()
        await self._put("stderr", last)

    async def incomplete(self, reason: str) -> None:
        self.lossy = True
        self._clixml.skipped()
        for stream in STREAMS:
            await self._sink.mark_incomplete(stream, reason)

    async def _beginning_lost(self) -> None:
        """Only after a take-over: otherwise a missing marker means that the script did not run at all."""
        if self._resumed:
            await self.incomplete(LOST_BEFORE)

    async def _put(self, stream: Stream, text: str) -> None:
        if text:
            if stream == "stderr":
                self.error_tail = (self.error_tail + text)[-TAIL_CHARACTERS:]
            await self._sink.write(stream, text.encode("utf-8", "replace"))


STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")
