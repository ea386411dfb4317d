"""Regular expressions that people write into jobs: RE2, so that none of them can take for ever.

Each line is searched by itself: `^` and `$` are its beginning and end, and nothing matches across a line end.
"""

import re
from functools import lru_cache

import re2

WHOLE_TEXT_ANCHOR = re.compile(r"(?<!\\)(?:\\\\)*\\[AzZ]")
SHOWN_CHARACTERS = 200


class PatternRefused(ValueError):
    """A pattern cannot be used; the message says why."""


class LinePattern:
    """One pattern, ready to be searched in texts of many lines at once, in time linear to their length."""

    def __init__(self, pattern: str) -> None:
        """Raises `PatternRefused` for what RE2 does not understand."""
        if WHOLE_TEXT_ANCHOR.search(pattern):
            raise PatternRefused("each line is searched by itself: write ^ and $ instead of \\A and \\z")
        options = re2.Options()
        options.never_nl = True
        options.log_errors = False
        try:
            self._compiled = re2.compile("(?m)" + pattern, options)
        except re2.error as error:
            raise PatternRefused(f"not a regular expression of RE2: {_reason(error)}") from error
        except UnicodeEncodeError as error:
            raise PatternRefused("it holds half a character (a lone surrogate)") from error

    def line_in(self, text: str, start: int = 0) -> str | None:
        """The first line of `text` in which the pattern is found from offset `start` on, shortened."""
        match = self._compiled.search(text, start)
        if match is None:
            return None
        begin = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        line = text[begin : len(text) if end < 0 else end].strip()
        return line if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS] + "…"


@lru_cache(maxsize=256)
def line_pattern(pattern: str) -> LinePattern:
    """The pattern, compiled once. Raises `PatternRefused`."""
    return LinePattern(pattern)


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    return text.replace("(?m)", "", 1)
