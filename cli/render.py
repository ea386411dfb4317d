"""How commands write: answers to stdout, all other words to stderr, colours only for terminals."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.client.lines import OutputLine, printable
from cli.client.problems import CliError
from infra.clock import now

PIPED_WIDTH = 400
"""Without a terminal nothing is cut off: programs read it."""

ID_WIDTH = 36
_ID = re.compile(r"[0-9a-f-]{36}")
_STYLES = {
    "succeeded": "green",
    "ok": "green",
    "running": "cyan",
    "ready": "cyan",
    "requested": "cyan",
    "failed": "red",
    "fail": "red",
    "timed_out": "red",
    "unknown": "magenta",
    "partial": "yellow",
    "cancelling": "yellow",
    "cancelled": "yellow",
    "skipped": "yellow",
    "open": "yellow",
}


class _Console(Console):
    """One whose reader may go: what ends the command then is decided where commands end."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _console(*, stderr: bool = False) -> Console:
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    colours = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return _Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        no_color=not colours,
        force_terminal=terminal,
        width=None if terminal else PIPED_WIDTH,
        color_system="auto" if colours else None,
    )


def live() -> Console | None:
    """Where progress can be redrawn; None when nobody would see it move."""
    console = _console(stderr=True)
    return console if console.is_terminal and not console.is_dumb_terminal else None


def say(text: str, *, style: str = "") -> None:
    """A line of what was asked for."""
    _console().print(Text(text, style))


def remark(text: str, *, style: str = "dim") -> None:
    """A line beside it, on stderr."""
    _console(stderr=True).print(Text(text, style))


def problem(error: CliError) -> None:
    """What failed, why, and what to do."""
    remark(str(error), style="bold red")
    for hint in error.hints:
        remark(f"  {hint}", style="")


def can_ask() -> bool:
    """Whether a person sits at this terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, *, unasked: str) -> bool:
    """What a person answers; raises `CliError` with the hint `unasked` when nobody is there to be asked."""
    if not can_ask():
        raise CliError("There is no terminal to ask at.", hints=(unasked,))
    return typer.confirm(question, err=True)


def raw(text: str) -> None:
    """Text as it is."""
    sys.stdout.write(text)


def as_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, headers: bool = True) -> None:
    """Aligned columns; `empty` is said when there is nothing to show."""
    found = [[cell(value) for value in row] for row in rows]
    if not found:
        remark(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), show_header=headers)
    for name, cells in zip(columns, zip(*found, strict=True), strict=True):
        ids = all(_ID.fullmatch(text.plain) for text in cells)  # to be copied whole, however narrow it gets
        shown.add_column(name, overflow="fold", min_width=ID_WIDTH if ids else None)
    for row in found:
        shown.add_row(*row)
    _console().print(shown)


def cell(value: Any) -> Text:
    """One value as people read it; states in their colour."""
    if value is None or value == "":
        return Text("-", "dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    text = printable(str(value))
    return Text(text, _STYLES.get(text, ""))


def status(value: str) -> str:
    """The style of a state."""
    return _STYLES.get(value, "")


def output_line(line: OutputLine, *, timestamps: bool = False) -> None:
    """`[target] text`; what came on stderr is marked `!`."""
    text = Text(f"{line.time or '-'} " if timestamps else "", "dim")
    text.append(f"[{line.target or line.step}] ", "cyan")
    if line.stream == "stderr":
        text.append("! ", "red")
    _console().print(text.append(printable(line.text)))


def ago(value: str | None) -> str | None:
    """How long ago, roughly."""
    if value is None:
        return None
    return f"{span((now() - datetime.fromisoformat(value)).total_seconds())} ago"


def took(began: str | None, ended: str | None) -> str | None:
    """How long it took, or takes so far."""
    if began is None:
        return None
    end = datetime.fromisoformat(ended) if ended else now()
    return span((end - datetime.fromisoformat(began)).total_seconds())


def span(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d`."""
    seconds = max(seconds, 0.0)
    if seconds < 10:  # noqa: PLR2004  (below this the tenths matter)
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if not minutes:
        return f"{rest} s"
    if not hours:
        return f"{minutes} min {rest} s"
    return f"{hours} h {minutes_left} min" if hours < 48 else f"{hours // 24} d"  # noqa: PLR2004  (two days)
