"""What a command's exit code and output make of its step: the one place that decides it. Pure.

Plug-ins report how a command ended; whether that is success is the author's `success_codes` and `fail_on`.
Output is looked at as it is stored (masked), line by line, however it was cut into pieces, and again from
storage when another worker takes over what a lost one had seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from contracts.causes import CAUSES
from contracts.jobs.steps import ExecSpec, StepSpec
from contracts.patterns import LinePattern, line_pattern
from workers.executor.steps.base import StepOutcome, Stream

LINE_CHARACTERS = 64 * 1024
"""A longer line is looked at in pieces that overlap."""
OVERLAP = 4 * 1024
OUR_NOTE = re.compile(r"\n\[(?:output missing here: .*|\d+ bytes left out here)\]\n", re.DOTALL)
"""What we put between a target's output where some of it is missing."""


@dataclass(slots=True)
class _Lines:
    """The lines of one stream; `held` has not ended yet, `cut` says that it is not a line's beginning."""

    held: str = ""
    cut: bool = False

    def add(self, text: str) -> tuple[str, bool] | None:
        """Whole lines (without the last line end) to look at now, and whether the first is cut."""
        whole, ended, rest = (self.held + text).rpartition("\n")
        if ended:
            lines, cut = whole, self.cut
            self.held, self.cut = rest, False
            return lines, cut
        self.held = rest
        if len(rest) < LINE_CHARACTERS:
            return None
        lines, cut = rest, self.cut
        self.held, self.cut = rest[-OVERLAP:], True
        return lines, cut

    def rest(self) -> tuple[str, bool] | None:
        """The unfinished line, which will not go on."""
        lines, cut = self.held, self.cut
        self.held, self.cut = "", False
        return (lines, cut) if lines else None


@dataclass(slots=True)
class Judge:
    """Sees the output of one attempt and says how a command that ended is to be taken."""

    spec: StepSpec
    matched: str | None = None
    """The line in which the author's pattern was found."""
    error: str | None = None
    """The first line of the error stream that is no warning or other notice."""
    gaps: bool = False
    """Some output was never seen: what was not found may have stood there."""
    _lines: Mapping[Stream, _Lines] = field(default_factory=lambda: {"stdout": _Lines(), "stderr": _Lines()})
    _pattern: LinePattern | None = None
    _errors: bool = False
    _stored: dict[Stream, int] = field(default_factory=lambda: {"stdout": 0, "stderr": 0})

    def __post_init__(self) -> None:
        if isinstance(self.spec, ExecSpec):
            pattern = self.spec.fail_on.pattern
            self._pattern = line_pattern(pattern) if pattern is not None else None
            self._errors = self.spec.fail_on.error_stream

    @property
    def looks_at_output(self) -> bool:
        return self._pattern is not None or self._errors

    def see(self, stream: Stream, text: str) -> None:
        """More of the target's output, as it is stored."""
        if self._wanted(stream):
            self._look(stream, self._lines[stream].add(text))

    def gap(self, stream: Stream) -> None:
        """Output of this stream is missing here."""
        self.gaps = True
        self._look(stream, self._lines[stream].rest())

    def see_stored(self, stream: Stream, text: str, source_end: int) -> None:
        """One stored chunk of a lost worker, in order: what it saw counts as if it had been seen here."""
        advance = source_end - self._stored[stream]
        self._stored[stream] = source_end
        if advance <= 0 and OUR_NOTE.fullmatch(text):
            self.gap(stream)
        else:
            self.see(stream, text)

    def outcome(self, ended: StepOutcome, *, stopped: bool = False) -> StepOutcome:
        """What the step makes of a command that ended; everything else is passed on as it is.

        The exit code of a command that was told to stop may come from that: it has to be one of success,
        even where the step does not look at it.
        """
        if not isinstance(self.spec, ExecSpec) or ended.exit_code is None or ended.outcome == "unknown":
            return ended
        for stream in self._lines:
            self._look(stream, self._lines[stream].rest())
        return _judged(self.spec, ended, self, look_at_code=stopped or self.spec.fail_on.exit_code)

    def _wanted(self, stream: Stream) -> bool:
        searching = self._pattern is not None and self.matched is None
        return searching or (self._errors and self.error is None and stream == "stderr")

    def _look(self, stream: Stream, seen: tuple[str, bool] | None) -> None:
        if seen is None or not self._wanted(stream):
            return
        lines, cut = seen
        lines = lines.replace("\r\n", "\n").removesuffix("\r")
        if self._pattern is not None and self.matched is None:
            self.matched = self._pattern.line_in(lines, int(cut))
        if self._errors and self.error is None and stream == "stderr":
            self.error = _first_error(lines, self.spec)


def _first_error(lines: str, spec: StepSpec) -> str | None:
    notices = spec.notices if isinstance(spec, ExecSpec) else ()
    for line in lines.split("\n"):
        if line.strip() and not line.startswith(notices):
            return line.strip()[:200]
    return None


def _judged(spec: ExecSpec, ended: StepOutcome, seen: Judge, *, look_at_code: bool) -> StepOutcome:
    """Most telling first: the exit code, the pattern, the error stream; then what nobody can know."""
    if look_at_code and ended.exit_code not in spec.success_codes:
        cause = ended.cause or CAUSES["exit_code"]
        words = ended.words or {"detail": ended.exit_code}
        return replace(ended, outcome="failed", cause=cause, words=words)
    if seen.matched is not None:
        return replace(
            ended, outcome="failed", cause=CAUSES["output_pattern"], words={"detail": seen.matched}
        )
    if seen.error is not None:
        return replace(ended, outcome="failed", cause=CAUSES["error_stream"], words={"detail": seen.error})
    if seen.looks_at_output and seen.gaps:
        return replace(
            ended,
            outcome="unknown" if spec.delivery == "at_most_once" else "failed",
            cause=CAUSES["output_unjudged"],
            words={"detail": ended.exit_code},
        )
    return replace(ended, outcome="succeeded", cause=None, words={})
