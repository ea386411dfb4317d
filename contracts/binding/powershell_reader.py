"""Statements of PowerShell 5.1 and 7: in which mode every placeholder stands (about_Parsing).

PowerShell reads a statement as a command with arguments or as an expression. Whatever is not recognised
ends the reading, and everything is refused.
"""

import re
from collections.abc import Sequence

from contracts.binding import powershell_commands as commands
from contracts.binding.model import LostTrack, Placeholder, Why, words
from contracts.binding.powershell_pieces import COMMAND, GLUED, PROGRAM, Pieces
from contracts.binding.powershell_text import (
    BLANK,
    DOUBLE,
    ESCAPED,
    LINE_END,
    NAMES,
    REFERENCE,
    SINGLE,
    Mode,
    PowerShellReader,
)
from contracts.binding.reading import Verdict, all_read

LOOK = 2_000
"""Characters looked at around a place, so that long scripts take linear time."""
ENDS_ARGUMENT = BLANK + LINE_END + "),;|}"
ENDS_OPERAND = ENDS_ARGUMENT + "]"
KEYWORDS = words(
    "if elseif else while for foreach switch return throw exit try catch finally do until trap "
    "function filter begin process end param break continue dynamicparam in"
)
VALUE_KEYWORDS = words("return throw exit")
NAME_KEYWORDS = words("function filter")
UNKNOWN_KEYWORDS = words("class enum using workflow configuration data parallel sequence inlinescript")
OPERATOR = re.compile(
    r"-(not|bnot|[ci]?(eq|ne|gt|ge|lt|le|like|notlike|match|notmatch|contains|notcontains|in|notin|replace|split)"
    r"|is|isnot|as|and|or|xor|band|bor|bxor|shl|shr|join|f)(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"(0x[0-9a-f]+|\d+(\.\d+)?(e[+-]?\d+)?)(l|d|kb|mb|gb|tb|pb)*(?!\w|\.[A-Za-z]|-)", re.IGNORECASE
)
MEMBER = re.compile(r"(\?\.|\.|::)[ \t]*([A-Za-z_]\w*)")
MEMBERS = Why("A property, an index or a call on the placeholder.", "Put the value in parentheses: ({name}).")


class Statement(Pieces):
    """Decides which piece comes next, and what a placeholder at this place is."""

    def read(self, closer: str) -> Mode:
        """Read to the end of the statement. Returns the mode in which what follows begins."""
        reader = self.reader
        while reader.pos < reader.end:
            reader.gap()
            char = reader.peek()
            if not char or (closer and char == closer):
                break
            if char in LINE_END and self._goes_on():
                reader.pos += 1
                continue
            if char in LINE_END or char == ";":
                reader.pos += 1
                break
            if not self._step(char):
                break
        self._judge()
        return Mode.STATEMENT

    def _goes_on(self) -> bool:
        """Whether the statement continues on the next line."""
        before = self.reader.text[max(0, self.reader.pos - LOOK) : self.reader.pos].rstrip(BLANK + LINE_END)[
            -1:
        ]
        return self.mode in (Mode.VALUE, Mode.COMMAND) or before == ","

    def _step(self, char: str) -> bool:
        """Read one piece. False when the statement is over."""
        reader = self.reader
        if reader.pos in reader.at:
            self._placeholder()
        elif char == "|" or reader.sees("&&"):
            self._judge()
            reader.pos += 2 if reader.peek(1) == char else 1
            self.mode = Mode.COMMAND
        elif char in "'\"" or char in SINGLE + DOUBLE:
            self._string(char)
        elif char == "@" and reader.peek(1) and reader.peek(1) in SINGLE + DOUBLE:
            self._argument(None)
            reader.here_string()
        elif char in "({[" or reader.sees("$(") or reader.sees("@(") or reader.sees("@{"):
            return self._bracket(char)
        elif char in "$@":
            self._variable()
        elif self.mode in (Mode.ARGUMENTS, Mode.NAMES):
            self._word()
        elif self.mode is Mode.EXPRESSION:
            self._expression(char)
        else:
            self._start(char)
        return True

    def _placeholder(self) -> None:
        reader = self.reader
        mark = reader.at[reader.pos]
        before, after = reader.text[reader.pos - 1 : reader.pos], reader.text[mark.end : mark.end + 1]
        rest = reader.text[mark.end : mark.end + LOOK].lstrip(BLANK)
        why: Why | None = None
        ends = ENDS_ARGUMENT if self.mode is Mode.ARGUMENTS else ENDS_OPERAND
        if self.mode is Mode.COMMAND or (self.mode is Mode.STATEMENT and not OPERATOR.match(rest)):
            why = COMMAND
        elif self.mode is Mode.NAMES:
            why = NAMES
        elif before and before in "`$":
            why = ESCAPED
        elif after and after in ".[(:?":
            why = MEMBERS
        elif (after and after not in ends) or not self._stands_alone(before):
            why = GLUED
        elif self.mode is not Mode.ARGUMENTS and not self._ends_operand(rest):
            why = MEMBERS if rest[:1] in ".[(?" else GLUED
        elif self.cast_refused:
            why = commands.TYPE_CAST
        elif self.mode is Mode.ARGUMENTS and commands.names_program(self.words):
            why = PROGRAM
        reader.place(REFERENCE, why)
        if self.mode is Mode.ARGUMENTS:
            self.words.append(None)
        else:
            self.mode = Mode.EXPRESSION
        self.cast_refused = False

    def _stands_alone(self, before: str) -> bool:
        if self.mode is Mode.ARGUMENTS:
            named = bool(self.words and re.fullmatch(r"-[A-Za-z]\w*:", self.words[-1] or ""))
            return before in BLANK + LINE_END + "(,>" or (before == ":" and named)
        range_end = self.reader.text[self.reader.pos - 2 : self.reader.pos] == ".."
        return not before or before in BLANK + LINE_END + "([,={;!+*/%>]" or range_end

    @staticmethod
    def _ends_operand(rest: str) -> bool:
        """Whether what follows ends the expression or is an operator known not to be a member access."""
        following = re.sub(r"^(<#.*?#>|[\s`])*", "", rest, flags=re.DOTALL)
        if rest[:1] in LINE_END:
            return not re.match(r"\??\.\w|::|\?\[", following)
        return (
            not rest
            or rest[0] in "),;|}]#>*/%"
            or (rest[0] in "+-" and rest[1:2] in BLANK)
            or OPERATOR.match(rest) is not None
            or rest.startswith("..")
        )

    def _start(self, char: str) -> None:
        """The first piece of a statement, or of what stands behind = ( | &."""
        reader = self.reader
        if char == "&" or (
            char == "." and re.match(r"\.[\s$({'\"&]", reader.text[reader.pos : reader.pos + 2])
        ):
            reader.pos += 1
            self.mode = Mode.COMMAND
            return
        number = NUMBER.match(reader.text, reader.pos, reader.end)
        if self.mode is not Mode.COMMAND and (
            number or char in "+!," or OPERATOR.match(reader.text, reader.pos)
        ):
            self.mode = Mode.EXPRESSION
            self._expression(char)
        elif (
            self.mode is not Mode.COMMAND
            and char == "-"
            and (reader.peek(1).isdigit() or reader.peek(1) in "$(")
        ):
            reader.pos += 1
            self.mode = Mode.EXPRESSION
        else:
            self._command_name()

    def _command_name(self) -> None:
        reader = self.reader
        word = re.compile(r"[^\s;|&(){}<>,'\"`$@=#\[\]\u2018-\u201e]+").match(
            reader.text, reader.pos, reader.end
        )
        if word is None or "{{" in word[0] or ":" in word[0][:1]:
            raise LostTrack(f"{reader.peek()!r} is not expected here.", "Write the statement more simply.")
        reader.pos = word.end()
        name = word[0].lower()
        if self.mode is Mode.COMMAND or name not in KEYWORDS | UNKNOWN_KEYWORDS:
            self._plain_command(word[0])
        elif name in UNKNOWN_KEYWORDS or (name == "param" and reader.top):
            raise LostTrack(f"A script with `{name}` here cannot use placeholders.", "Leave it out.")
        elif name in VALUE_KEYWORDS:
            self.mode = Mode.VALUE
        else:
            self.keyword = True
            self.mode = Mode.NAMES if name in NAME_KEYWORDS else Mode.STATEMENT

    def _plain_command(self, name: str) -> None:
        reader = self.reader
        if reader.pos in reader.at:
            reader.place("", COMMAND)
        following = reader.text[reader.pos : reader.pos + LOOK].lstrip(BLANK)[:1]
        if following == "=" and self.mode is not Mode.COMMAND:
            self.mode = Mode.EXPRESSION  # a key in @{ }
            return
        if reader.peek() and reader.peek() not in BLANK + LINE_END + ";|)}({,`<>&":
            raise LostTrack(
                "This name of a command could not be understood.", "Write & and put it in quotes."
            )
        self.mode = Mode.ARGUMENTS
        self.words = [name]

    def _expression(self, char: str) -> None:
        reader = self.reader
        if member := MEMBER.match(reader.text, reader.pos, reader.end):
            reader.pos = member.end()
            self.cast_refused = False
            return
        if operator := OPERATOR.match(reader.text, reader.pos, reader.end):
            reader.pos = operator.end()
        elif assignment := re.compile(r"(\?\?|[-+*/%])?=").match(reader.text, reader.pos, reader.end):
            reader.pos = assignment.end()
            self.mode = Mode.VALUE
        elif number := NUMBER.match(reader.text, reader.pos, reader.end):
            reader.pos = number.end()
        elif reader.sees("..") or reader.sees("++") or reader.sees("--"):
            reader.pos += 2
        elif char in "+-*/%!,<>" or (char == "&" and reader.sees("&1")):
            reader.pos += 1
        elif reader.text[reader.pos : reader.pos + 3].lower().rstrip(BLANK + LINE_END) == "in":
            reader.pos += 2
        else:
            raise LostTrack(f"{char!r} in an expression could not be understood.", "Write it more simply.")


def read_powershell(script: str, marks: Sequence[Placeholder]) -> list[Verdict]:
    """A verdict for every placeholder of a PowerShell script."""
    reader = PowerShellReader(script, marks)
    reader.read_statement = lambda mode, closer: Statement(reader, mode).read(closer)
    try:
        reader.whole()
    except LostTrack as lost:
        for verdict in reader.verdicts:
            verdict.why = verdict.why or lost.why
        return all_read(reader, marks, lost)
    return all_read(reader, marks, None)
