"""From the bytes of one stream to text: UTF-8, with the host's OEM code page for what is not."""

import codecs
from dataclasses import dataclass

HELD_BYTES = 4096
"""A line that is not UTF-8 is judged as a whole, but not longer than this."""


class TextDecoder:
    """Incremental. UTF-8 decodes the same however it is cut; a line with other bytes is read as OEM.

    Programs that ignore `chcp 65001` write OEM bytes. Since the trail bytes of some code pages are ASCII, not
    the single byte but the line it stands in is decoded again.
    """

    def __init__(self, oem_codepage: str) -> None:
        self._oem = oem_codepage
        self._held = b""

    def feed(self, data: bytes) -> str:
        data = self._held + data
        try:
            text, used = codecs.utf_8_decode(data, "strict", False)  # noqa: FBT003  (`final`, positional only)
        except UnicodeDecodeError:
            return self._lines(data)
        self._held = data[used:]
        return text

    def finish(self) -> str:
        rest, self._held = self._held, b""
        return self._line(rest)

    def _lines(self, data: bytes) -> str:
        *lines, rest = data.split(b"\n")
        out = [self._line(line + b"\n") for line in lines]
        self._held = b""
        if len(rest) > HELD_BYTES:
            out.append(self._line(rest))
        elif lines:
            out.append(self.feed(rest))
        else:
            self._held = rest
        return "".join(out)

    def _line(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            return line.decode(self._oem, "replace")


@dataclass(slots=True)
class OpenedMarker:
    """Takes the line by which the bootstrap says that the gate has opened off the front of stdout.

    `seen` None: not decided yet. False: the stream begins with something else, so its beginning is lost.
    """

    line: bytes
    seen: bool | None = None
    _held: bytes = b""

    def feed(self, data: bytes) -> bytes:
        if self.seen is not None:
            return data
        data = self._held + data
        if data.startswith(self.line):
            self.seen = True
            return data[len(self.line) :]
        if self.line.startswith(data):
            self._held = data
            return b""
        self.seen = False
        return data

    def finish(self) -> bytes:
        """Bytes held back because they might have become the marker."""
        if self.seen is None:
            self.seen = False
            return self._held
        return b""
