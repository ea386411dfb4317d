"""An output sink in memory, for tests of step plug-ins."""

from dataclasses import dataclass, field

from workers.executor.steps.base import Stream


@dataclass
class CollectedOutput:
    """Keeps everything; `start` is where a resumed attempt begins, as stored output would say."""

    start: dict[Stream, int] = field(default_factory=dict)
    data: dict[Stream, bytearray] = field(
        default_factory=lambda: {"stdout": bytearray(), "stderr": bytearray()}
    )
    incomplete: list[tuple[Stream, str]] = field(default_factory=list)

    async def write(self, stream: Stream, data: bytes) -> None:
        self.data[stream] += data

    async def mark_incomplete(self, stream: Stream, reason: str) -> None:
        self.incomplete.append((stream, reason))

    def position(self, stream: Stream) -> int:
        return self.start.get(stream, 0) + len(self.data[stream])

    @property
    def stdout(self) -> bytes:
        return bytes(self.data["stdout"])

    @property
    def stderr(self) -> bytes:
        return bytes(self.data["stderr"])
