"""What `up` writes to the terminal. Plain text; colours only where a person looks."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Screen:
    """Lines to stdout, written at once. Not Rich: importing it would be felt at every start."""

    colours: bool

    @classmethod
    def of_terminal(cls) -> "Screen":
        return cls(
            sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def styled(self, text: str, *styles: str) -> str:
        if not (self.colours and styles):
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"

    def line(self, text: str = "", *styles: str) -> None:
        with suppress(OSError):  # nobody reads any more: no reason to end the services
            sys.stdout.write(self.styled(text, *styles) + "\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something worth knowing beside the main thing."""
        self.line(f"  {text}", "dim")

    def problem(self, text: str) -> None:
        self.line(text, "red")
