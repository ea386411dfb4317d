"""CLIXML on stderr, decoded as it arrives.

Windows PowerShell writes `#< CLIXML` and one `<Objs>` document to a redirected stderr, object by object;
programs it starts write plain text in between. Errors become their text, warnings and the like get a prefix,
progress and other objects are dropped. What does not look like CLIXML is passed on as it is.
"""

import re
from html import unescape

MARKER = "#< CLIXML"
OPENING = re.compile(r"\s*<Objs\b[^<>]*>")
TEXT = re.compile(r'<S S="(\w+)">([^<]*)</S>')
EMPTY = re.compile(r'<S S="\w+"\s*/>')
OBJECT_EDGE = re.compile(r"<Obj\b[^<>]*?(/?)>|</Obj>")
TOKENS = ('<S S="', '<Obj S="', "</Objs>")
EDGE = re.compile(r"[<#]")
ESCAPE = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
PREFIXES = {"error": "", "warning": "WARNING: ", "verbose": "VERBOSE: ", "debug": "DEBUG: "}
LIMIT = 4 * 1024 * 1024
"""Characters of one object; something longer is no CLIXML and is passed on raw."""


class ClixmlDecoder:
    """Feed it text in pieces of any size: the pieces it returns always join to the same text."""

    def __init__(self) -> None:
        self._buffer = ""
        self._inside = False

    def feed(self, text: str) -> str:
        self._buffer += text
        out: list[str] = []
        while self._buffer:
            decoded = self._in_document() if self._inside else self._outside()
            if decoded is None:
                break
            out.append(decoded)
        if len(self._buffer) > LIMIT:
            out.append(self._buffer)
            self._buffer, self._inside = "", False
        return "".join(out)

    def skipped(self) -> None:
        """Input is missing here, perhaps the head of a document: its objects are read all the same."""
        self._inside = True

    def finish(self) -> str:
        """What is left at the end of the stream; an object that was cut off comes out raw."""
        rest, self._buffer, self._inside = self._buffer, "", False
        return rest

    def _take(self, length: int) -> str:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken

    def _outside(self) -> str | None:
        """Plain text up to the marker; None when more input is needed to go on."""
        start = self._buffer.find(MARKER)
        if start < 0:
            ready = len(self._buffer) - _overlap(self._buffer, MARKER)
            return self._take(ready) if ready else None
        if start > 0:
            return self._take(start)
        opening = OPENING.match(self._buffer, len(MARKER))
        if opening is not None:
            self._take(opening.end())
            self._inside = True
            return ""
        rest = self._buffer[len(MARKER) :].lstrip()
        undecided = "<Objs".startswith(rest) or (rest.startswith("<Objs") and ">" not in rest)
        return None if undecided else self._take(len(MARKER))

    def _in_document(self) -> str | None:
        buffer = self._buffer
        edge = EDGE.search(buffer)
        if edge is None or edge.start() > 0:
            return self._take(edge.start() if edge else len(buffer))
        if buffer[0] == "#":
            return self._next_document()
        if buffer.startswith("</Objs>"):
            self._take(len("</Objs>"))
            self._inside = False
            return ""
        if buffer.startswith('<S S="'):
            return self._text()
        if buffer.startswith('<Obj S="'):
            return self._object()
        return None if any(token.startswith(buffer) for token in TOKENS) else self._take(1)

    def _next_document(self) -> str | None:
        """A new marker where an object was expected: the end of the document before it was lost."""
        if self._buffer.startswith(MARKER):
            self._inside = False
            return ""
        return None if MARKER.startswith(self._buffer) else self._take(1)

    def _text(self) -> str | None:
        match = TEXT.match(self._buffer)
        if match is not None:
            self._take(match.end())
            return _shown(match[1].lower(), match[2])
        empty = EMPTY.match(self._buffer)
        if empty is not None:
            self._take(empty.end())
            return ""
        second = self._buffer.find("<", 1)
        undecided = second < 0 or "</S>".startswith(self._buffer[second:])
        return None if undecided else self._take(1)

    def _object(self) -> str | None:
        depth = 0
        for edge in OBJECT_EDGE.finditer(self._buffer):
            if edge[0] == "</Obj>":
                depth -= 1
            elif not edge[1]:
                depth += 1
            if depth == 0:
                self._take(edge.end())
                return ""
        return None


def _overlap(text: str, marker: str) -> int:
    """Characters at the end of `text` that may be the beginning of `marker`."""
    longest = min(len(text), len(marker) - 1)
    return next((size for size in range(longest, 0, -1) if marker.startswith(text[-size:])), 0)


def _shown(kind: str, content: str) -> str:
    prefix = PREFIXES.get(kind)
    if prefix is None:
        return ""
    text = ESCAPE.sub(_characters, unescape(content))
    if kind == "error":
        return text
    return "".join(f"{prefix}{line}\n" for line in text.splitlines() or [""])


def _characters(match: re.Match[str]) -> str:
    """`_xD83D__xDE00_` is one character in UTF-16 code units."""
    units = [int(unit, 16) for unit in re.findall(r"_x([0-9A-Fa-f]{4})_", match[0])]
    return b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "replace")
