"""Chunks of output, as streams deliver them, put together to whole lines. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # operating system commands: titles, clipboard, links
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # cursor movement, erasing, colours
    r"|\x1b[@-_]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLine:
    """One line that a step wrote on a target."""

    step: str
    target: str | None
    stream: str
    text: str
    time: str | None = None
    """When the chunk was stored that ends it; streams do not tell."""


_Place = tuple[str, str | None, int, str]


class LineAssembler:
    """Each line once and whole, whatever the chunks' borders and however often a chunk comes."""

    def __init__(self) -> None:
        self._rest: dict[_Place, str] = {}
        self._seen: dict[tuple[str, str | None, int], int] = {}

    def feed(self, chunk: Mapping[str, Any]) -> list[OutputLine]:
        """The lines that this chunk completes; none for a chunk that was fed before."""
        step, target, attempt = str(chunk["step"]), chunk["target"], int(chunk["attempt"])
        if int(chunk["seq"]) <= self._seen.get((step, target, attempt), -1):
            return []
        self._seen[step, target, attempt] = int(chunk["seq"])
        place = (step, target, attempt, str(chunk["stream"]))
        *whole, rest = (self._rest.pop(place, "") + str(chunk["data"])).split("\n")
        if rest:
            self._rest[place] = rest
        return [_line(place, text, chunk.get("time")) for text in whole]

    def end(self) -> list[OutputLine]:
        """What was never followed by a line break."""
        rest, self._rest = self._rest, {}
        return [_line(place, text) for place, text in rest.items()]


def _line(place: _Place, text: str, time: str | None = None) -> OutputLine:
    step, target, _, stream = place
    return OutputLine(step=step, target=target, stream=stream, text=text.removesuffix("\r"), time=time)


def printable(text: str) -> str:
    """`text` without what could move the cursor, rename the window or hide what stands before it."""
    return _CONTROL.sub("", text.rpartition("\r")[2] if "\r" in text else text)
