"""What the three tokenizers share: the script, the place they are at, and a verdict for every placeholder."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from contracts.binding.model import LostTrack, Placeholder, Refusal, Why
from contracts.binding.scanning import malformed, placeholders

DEEPEST = 40
"""Nesting beyond which a script is refused: nobody can read it, and the tokenizers are recursive."""


@dataclass(slots=True)
class Verdict:
    """What one placeholder becomes, or why it is refused."""

    placeholder: Placeholder
    reference: str
    why: Why | None = None


class Reading:
    """A script being read from `pos` to `end`; a tokenizer calls `place` at every placeholder."""

    def __init__(self, text: str, marks: Sequence[Placeholder]) -> None:
        self.text = text
        self.pos = 0
        self.end = len(text)
        self.at = {mark.start: mark for mark in marks}
        self._starts = sorted(self.at)
        self.verdicts: list[Verdict] = []
        self._bars: list[Why] = []
        self._depth = 0

    def peek(self, ahead: int = 0) -> str:
        """The character `ahead` of here, or an empty string past the end."""
        place = self.pos + ahead
        return self.text[place] if place < self.end else ""

    def has_placeholder(self, start: int, end: int) -> bool:
        """Whether a placeholder starts at or behind `start` and before `end`."""
        return bisect_left(self._starts, start) < bisect_left(self._starts, end)

    def sees(self, text: str) -> bool:
        return self.text.startswith(text, self.pos, self.end)

    def place(self, reference: str, why: Why | None = None) -> None:
        """Decide the placeholder that starts here and step over it."""
        mark = self.at[self.pos]
        bar = self._bars[0] if self._bars else why
        self.verdicts.append(Verdict(mark, reference.format(name=mark.name), bar))
        self.pos = mark.end

    def refuse(self, first: int, last: int | None, why: Why) -> None:
        """Refuse the placeholders judged from number `first` to before `last`, unless they already are."""
        for verdict in self.verdicts[first:last]:
            verdict.why = verdict.why or why

    @contextmanager
    def barred(self, why: Why) -> Iterator[None]:
        """Every placeholder met inside is refused; the outermost reason is the one that is told."""
        self._bars.append(why)
        try:
            yield
        finally:
            self._bars.pop()

    @contextmanager
    def nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise LostTrack("The script is nested too deeply here.", "Split it into several steps.")
        try:
            yield
        finally:
            self._depth -= 1

    def skip_to(self, end: int, why: Why | None = None) -> None:
        """Go to `end`; placeholders on the way are refused with `why`."""
        while self.pos < end:
            if self.pos in self.at:
                self.place("", why)
            else:
                self.pos += 1


def judge(script: str, read: Callable[[str, Sequence[Placeholder]], Sequence[Verdict]]) -> list[Verdict]:
    """A verdict for every well-formed placeholder of the script, in its order."""
    marks = placeholders(script)
    if not marks:
        return []
    return sorted(read(script, marks), key=lambda verdict: verdict.placeholder.start)


def all_read(reading: Reading, marks: Sequence[Placeholder], lost: LostTrack | None) -> list[Verdict]:
    """The verdicts of a reading; what it did not reach is refused with the reason it stopped."""
    judged = {verdict.placeholder for verdict in reading.verdicts}
    why = (
        lost.why
        if lost
        else Why("This place in the script could not be understood.", "Write it more simply.")
    )
    return [*reading.verdicts, *(Verdict(mark, "", why) for mark in marks if mark not in judged)]


def refusals(script: str, verdicts: Sequence[Verdict], declared: Collection[str]) -> tuple[Refusal, ...]:
    """Everything that stands in the way of binding this script, in the order of the script."""
    found = list(malformed(script))
    for verdict in verdicts:
        mark = verdict.placeholder
        if mark.name not in declared:
            found.append(Refusal(mark.name, mark.line, mark.column, *undefined(mark.name, declared)))
        elif verdict.why is not None:
            suggestion = verdict.why.suggestion.replace("{name}", f"{{{{ {mark.name} }}}}")
            found.append(Refusal(mark.name, mark.line, mark.column, verdict.why.reason, suggestion))
    return tuple(sorted(found, key=lambda refusal: (refusal.line, refusal.column)))


def undefined(name: str, declared: Collection[str]) -> tuple[str, str]:
    """Why a placeholder of an undeclared name is refused, and what to do."""
    near = sorted(known for known in declared if known.lower() == name.lower())
    hint = (
        f"Write {{{{ {near[0]} }}}}."
        if near
        else f"Declare {name} among the parameters, or correct the name."
    )
    return f"There is no parameter named {name}.", hint


def replaced(script: str, verdicts: Sequence[Verdict]) -> str:
    """The script with every placeholder replaced by its reference."""
    parts, done = [], 0
    for verdict in verdicts:
        parts += [script[done : verdict.placeholder.start], verdict.reference]
        done = verdict.placeholder.end
    return "".join([*parts, script[done:]])
