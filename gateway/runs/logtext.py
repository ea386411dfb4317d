"""Output as text for people: headings, times before lines, with or without terminal colours. Pure."""

import re
from datetime import UTC, datetime

Place = tuple[str, str, int, str]
"""Step, target, attempt, stream."""

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]+[0-~]"
    r"|[0-OQ-WYZ\\`-~])"
)
"""Control sequences of ECMA-48: CSI, OSC, DCS and their like, two-character escapes."""
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)?\Z")
_LONGEST = 4_096


class LogText:
    """Builds text from chunks, which may end in the middle of a line or of an escape sequence."""

    def __init__(self, *, timestamps: bool, ansi: bool) -> None:
        self._timestamps = timestamps
        self._ansi = ansi
        self._place: Place | None = None
        self._kept: dict[Place, str] = {}
        self._in_line: set[Place] = set()

    def add(self, place: Place, data: str, at: datetime) -> str:
        """What `data` adds to the text."""
        heading = "" if place == self._place else self._heading(place)
        if not self._ansi:
            data = self._plain(place, data)
        return heading + (self._timed(place, data, at) if self._timestamps else data)

    def end(self) -> str:
        """What was held back because it could have been the beginning of an escape sequence: dropped."""
        self._kept.clear()
        return ""

    def _heading(self, place: Place) -> str:
        step, target, attempt, stream = place
        words = f"==> {step} on {target}, attempt {attempt}, {stream} <==\n"
        first, self._place = self._place is None, place
        return words if first else f"\n{words}"

    def _plain(self, place: Place, data: str) -> str:
        whole = _ESCAPE.sub("", self._kept.pop(place, "") + data)
        unfinished = _UNFINISHED.search(whole)
        if unfinished is None:
            return whole
        if len(unfinished[0]) <= _LONGEST:
            self._kept[place] = unfinished[0]
        return whole[: unfinished.start()]

    def _timed(self, place: Place, data: str, at: datetime) -> str:
        stamp = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z "
        lines = data.splitlines(keepends=True) if data else []
        begun = place in self._in_line
        text = "".join(line if begun and index == 0 else stamp + line for index, line in enumerate(lines))
        if data:
            (self._in_line.discard if data.endswith("\n") else self._in_line.add)(place)
        return text
