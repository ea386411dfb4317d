"""Telling our own lines from the command's output on one stream. Pure."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the wrapper: its words behind the nonce."""

    words: tuple[str, ...]
    text: str = field(default="", compare=False)
    """The same as it was written, with all its spaces."""


class MarkedStream:
    """Splits a stream into output and marks, wherever it is cut into pieces.

    A mark is `<nonce> words…` up to a line feed; the nonce is random and never stored on the target, so
    output cannot contain it by chance.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce.encode()
        self._held = b""

    def feed(self, data: bytes) -> list[bytes | Mark]:
        """What is certain by now; a piece that may be the beginning of a mark is held back."""
        found: list[bytes | Mark] = []
        data = self._held + data
        while (at := data.find(self._nonce)) >= 0:
            if at:
                found.append(data[:at])
            line, ended, rest = data[at:].partition(b"\n")
            if not ended:
                self._held = line
                return found
            text = line[len(self._nonce) :].decode(errors="replace").strip(" ")
            found.append(Mark(tuple(text.split()), text))
            data = rest
        kept = self._possible_beginning(data)
        if len(data) > kept:
            found.append(data[: len(data) - kept])
        self._held = data[len(data) - kept :]
        return found

    def _possible_beginning(self, data: bytes) -> int:
        for length in range(min(len(self._nonce) - 1, len(data)), 0, -1):
            if data.endswith(self._nonce[:length]):
                return length
        return 0
