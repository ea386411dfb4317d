"""Texts of PowerShell: blanks, comments, quotes and here-strings (about_Quoting_Rules).

Unicode quotes are quotes; a quote of one kind is closed by any quote of its kind.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum, auto

from contracts.binding.model import LostTrack, Placeholder, Why
from contracts.binding.reading import Reading

REFERENCE = "${{ops_{name}}}"
SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'
BLANK = " \t\f\v\u00a0\u0085"
LINE_END = "\r\n"
VARIABLE = re.compile(r"\$(\{[^}]*\}|[$?^]|(\w+:)?\w+)|@\w+")
SINGLE_QUOTED = Why("Between single quotes nothing is replaced.", 'Use double quotes: "… {name} …".')
ESCAPED = Why("A backtick or dollar sign stands before the placeholder.", "Leave it out: {name}.")
NAMES = Why("A name is expected here.", "Write the name itself.")


class Mode(Enum):
    """What may come next: a statement, a value (behind `=` or `(`), a command, arguments, an operator."""

    STATEMENT = auto()
    VALUE = auto()
    COMMAND = auto()
    ARGUMENTS = auto()
    EXPRESSION = auto()
    NAMES = auto()


class PowerShellReader(Reading):
    """Reads statements. Recursion follows the brackets of the script."""

    def __init__(self, text: str, marks: Sequence[Placeholder]) -> None:
        super().__init__(text, marks)
        self.top = True
        """Not inside any block: a `param` here would be the script's own."""
        self.read_statement: Callable[[Mode, str], Mode]

    def whole(self) -> None:
        self.block("")

    def block(self, closer: str, start: Mode = Mode.STATEMENT) -> None:
        """Statements up to `closer`, which is consumed; the script's end when it is empty."""
        with self.nested():
            mode = start
            while True:
                self.gap()
                if self.pos >= self.end:
                    if closer:
                        raise LostTrack(f"{closer} is missing.", "Close what was opened.")
                    return
                if closer and self.peek() == closer:
                    self.pos += 1
                    return
                mode = self.read_statement(mode, closer)

    def gap(self) -> None:
        """Step over blanks, continued lines and comments."""
        while self.pos < self.end:
            char = self.peek()
            if char in BLANK:
                self.pos += 1
            elif char == "`" and self.peek(1) and self.peek(1) in LINE_END:
                self.pos += 3 if self.sees("`\r\n") else 2
            elif char == "#":
                self._comment("", LINE_END)
            elif self.sees("<#"):
                self._comment("#>", "")
            else:
                return

    def _comment(self, ending: str, any_of: str) -> None:
        before = self.text[self.pos - 1 : self.pos]
        if before and before not in BLANK + LINE_END + ";({|,)}":
            raise LostTrack("This may or may not be a comment.", "Put a space before #.")
        self.pos += 2 if ending else 1
        while self.pos < self.end and not (any_of and self.peek() in any_of):
            if ending and self.sees(ending):
                self.pos += len(ending)
                return
            if self.pos in self.at:
                self.place(REFERENCE)
            else:
                self.pos += 1
        if ending:
            raise LostTrack("The comment <# is not closed.", "Close it with #>.")

    def single_quoted(self) -> None:
        end = self.pos + 1
        while end < self.end:
            if self.text[end] in SINGLE:
                if end + 1 < self.end and self.text[end + 1] in SINGLE:
                    end += 1
                else:
                    break
            end += 1
        if end >= self.end:
            raise LostTrack("A single quote is not closed.", "Close it.")
        self.skip_to(end, SINGLE_QUOTED)
        self.pos = end + 1

    def double_quoted(self) -> None:
        self.pos += 1
        while self.pos < self.end:
            if self.peek() in DOUBLE:
                self.pos += 1
                if not (self.peek() and self.peek() in DOUBLE):
                    return
            self._string_part()
        raise LostTrack("A double quote is not closed.", "Close it.")

    def _string_part(self) -> None:
        if self.pos in self.at:
            self.place(REFERENCE)
        elif self.peek() in "`$" and self.pos + 1 in self.at:
            self.pos += 1
            self.place("", ESCAPED)
        elif self.peek() == "`":
            self.pos += 2
        elif self.sees("$("):
            self.pos += 2
            self.block(")", Mode.VALUE)
        elif variable := (VARIABLE.match(self.text, self.pos, self.end) if self.peek() == "$" else None):
            self.skip_to(variable.end(), NAMES)
        else:
            self.pos += 1

    def here_string(self) -> None:
        """`@"` or `@'` up to a line that starts with the same kind of quote and @."""
        kind = SINGLE if self.peek(1) in SINGLE else DOUBLE
        header = re.compile(r"@.[ \t]*(\r\n|\n|\r)").match(self.text, self.pos, self.end)
        if header is None:
            raise LostTrack("Text follows the header of a here-string.", "Begin its text on the next line.")
        footer = re.compile(f"(?<=[\r\n])[{kind}]@").search(self.text, header.end() - 1, self.end)
        if footer is None:
            raise LostTrack(
                "The here-string is not closed.", f"Close it with {kind[0]}@ at the start of a line."
            )
        self.pos = header.end()
        if kind == SINGLE:
            self.skip_to(footer.start(), SINGLE_QUOTED)
        else:
            while self.pos < footer.start():
                self._string_part()
            if self.pos != footer.start():
                raise LostTrack("Something in the here-string goes beyond its end.", "Close it before.")
        self.pos = footer.end()
