"""Statements of PowerShell 5.1 and 7: in which mode every placeholder stands (about_Parsing).

PowerShell reads a statement as a command with arguments or as an expression. Whatever is not recognised
ends the reading, and everything is refused.
"""

import re
from collections.abc import Sequence
from contextlib import nullcontext

from contracts.binding import powershell_commands as commands
from contracts.binding.model import LostTrack, Placeholder, Why, words
from contracts.binding.powershell_text import (
    BLANK,
    DOUBLE,
    ESCAPED,
    LINE_END,
    NAMES,
    REFERENCE,
    SINGLE,
    VARIABLE,
    Mode,
    PowerShellReader,
)
from contracts.binding.reading import Verdict, all_read

DASH = "-\u2013\u2014\u2015"
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
COMMAND = Why(
    "Here the name of a command is expected.", "Write the command itself, or ({name}) for the value."
)
GLUED = Why(
    "Text that touches the placeholder would change what it means.", 'Put it in double quotes: "…{name}…".'
)
MEMBERS = Why("A property, an index or a call on the placeholder.", "Put the value in parentheses: ({name}).")
VERBATIM = Why("After --% nothing is replaced.", "Leave --% out and write {name} as an argument.")
PROGRAM = Why(
    "The value would choose the program that runs.", "Write the program itself; {name} may be its argument."
)


class Statement:
    """One statement or pipeline, read from where the reader stands."""

    def __init__(self, reader: PowerShellReader, mode: Mode) -> None:
        self.reader = reader
        self.mode = mode
        self.words: list[str | None] = []
        self.pipeline = len(reader.verdicts)
        self.cast_refused = False
        self.keyword = False

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
        before = self.reader.text[: self.reader.pos].rstrip(BLANK + LINE_END)[-1:]
        return self.mode in (Mode.VALUE, Mode.COMMAND) or before == ","

    def _judge(self) -> None:
        """At the end of a command: a later one in the pipeline is given what the earlier ones put out."""
        if why := commands.refused_arguments(self.words):
            self.reader.refuse(self.pipeline, None, why)
        self.words = []

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
        rest = reader.text[mark.end :].lstrip(BLANK)
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

    def _argument(self, text: str | None) -> None:
        if self.mode is Mode.COMMAND:
            self.mode = Mode.ARGUMENTS
            self.words = [text]
        elif self.mode in (Mode.ARGUMENTS, Mode.NAMES):
            self.words.append(text)
        else:
            self.mode = Mode.EXPRESSION

    def _string(self, char: str) -> None:
        reader = self.reader
        start, held = reader.pos, len(reader.verdicts)
        reader.single_quoted() if char in SINGLE else reader.double_quoted()
        fixed = held == len(reader.verdicts)
        if self.mode is Mode.COMMAND and not fixed:
            reader.refuse(held, None, COMMAND)
        elif self.mode is Mode.ARGUMENTS and commands.names_program(self.words):
            reader.refuse(held, None, PROGRAM)
        if self.cast_refused:
            reader.refuse(held, None, commands.TYPE_CAST)
        self.cast_refused = False
        self._argument(reader.text[start + 1 : reader.pos - 1] if fixed else None)

    def _variable(self) -> None:
        reader = self.reader
        if reader.pos + 1 in reader.at:
            reader.pos += 1
            reader.place("", ESCAPED)
            self._argument(None)
            return
        match = VARIABLE.match(reader.text, reader.pos, reader.end)
        if match is None:
            raise LostTrack(f"{reader.peek()} is not expected here.", "Write a variable or a quoted text.")
        reader.skip_to(match.end(), NAMES)
        self._argument(None)

    def _bracket(self, char: str) -> bool:
        """Read a bracketed part. False when it ends the statement, as a block of `if` does."""
        reader = self.reader
        if char == "[":
            self._square()
            return True
        opening = char if char in "({" else reader.text[reader.pos : reader.pos + 2]
        reader.pos += len(opening)
        if opening in ("{", "@{"):
            clause = opening == "{" and self.mode is Mode.EXPRESSION
            self._braces(opening)
            reader.gap()
            return not (self.keyword or (clause and reader.peek() not in ("|", "&")))
        held = len(reader.verdicts)
        with reader.barred(commands.CODE_METHOD) if self._executes(opening) else nullcontext():
            reader.block(")", Mode.VALUE)
        if self.mode is Mode.COMMAND:
            reader.refuse(held, None, COMMAND)
        if self.cast_refused:
            reader.refuse(held, None, commands.TYPE_CAST)
        if self.mode is Mode.ARGUMENTS and commands.names_program(self.words):
            reader.refuse(held, None, PROGRAM)
        self.cast_refused = False
        if not (self.keyword and self.mode in (Mode.STATEMENT, Mode.NAMES)):
            self._argument(None)
        return True

    def _executes(self, opening: str) -> bool:
        """Whether the parenthesis just opened holds the arguments of a method that may run text."""
        reader = self.reader
        before = reader.text[max(0, reader.pos - 200) : reader.pos - len(opening)]
        call = re.search(r"(?:\.|::)[ \t]*([A-Za-z_]\w*)$", before)
        if call:
            return commands.executes_text(call[1])
        return self.mode is Mode.ARGUMENTS and before[-1:] not in (*BLANK, *LINE_END, *"(,=:>")

    def _braces(self, opening: str) -> None:
        reader = self.reader
        top, reader.top = reader.top, False
        elsewhere = opening == "{" and commands.runs_elsewhere(self.words)
        with reader.barred(commands.ELSEWHERE) if elsewhere else nullcontext():
            reader.block("}")
        reader.top = top
        if not self.keyword:
            self._argument("{}" if self.mode is Mode.ARGUMENTS else None)

    def _square(self) -> None:
        """A type, or an index behind a value that it touches. In arguments a wildcard such as [a-z]*."""
        reader = self.reader
        before = reader.text[reader.pos - 1 : reader.pos]
        if before and (before.isalnum() or before in "_)]}" or before in SINGLE + DOUBLE):
            reader.pos += 1
            reader.block("]", Mode.VALUE)
            return
        if self.mode in (Mode.ARGUMENTS, Mode.NAMES):
            self._word()
            return
        match = re.compile(r"\[\s*([\w.+]+(\[,*\])?)\s*\]").match(reader.text, reader.pos, reader.end)
        if match is None:
            self._attribute()
            return
        self.cast_refused = not commands.is_data_type(match[1])
        reader.pos = match.end()
        if self.mode is Mode.COMMAND:
            raise LostTrack("A type is not expected here.", "Write a command.")
        self.mode = Mode.EXPRESSION

    def _attribute(self) -> None:
        match = re.compile(r"\[[\w.]+\s*\(").match(self.reader.text, self.reader.pos, self.reader.end)
        if match is None:
            raise LostTrack("This type could not be understood.", "Write it more simply.")
        self.reader.pos = match.end()
        with self.reader.barred(NAMES):
            self.reader.block(")", Mode.VALUE)
        self.reader.gap()
        if self.reader.peek() != "]":
            raise LostTrack("] is missing.", "Close what was opened.")
        self.reader.pos += 1

    def _start(self, char: str) -> None:
        """The first piece of a statement, or of what stands behind = ( | &."""
        reader = self.reader
        if char == "&" or (char == "." and re.match(r"\.[\s$({'\"&]", reader.text[reader.pos :])):
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
        following = reader.text[reader.pos :].lstrip(BLANK)[:1]
        if following == "=" and self.mode is not Mode.COMMAND:
            self.mode = Mode.EXPRESSION  # a key in @{ }
            return
        if reader.peek() and reader.peek() not in BLANK + LINE_END + ";|)}({,`<>&":
            raise LostTrack(
                "This name of a command could not be understood.", "Write & and put it in quotes."
            )
        self.mode = Mode.ARGUMENTS
        self.words = [name]

    def _word(self) -> None:
        """A bare argument. Quotes, variables and placeholders inside it are read by their own rules."""
        reader = self.reader
        if reader.sees("--%"):
            self._verbatim()
            return
        if reader.peek() in ",<>&=*]" or reader.peek() in ")}":
            self._argument_sign()
            return
        start, held = reader.pos, len(reader.verdicts)
        while reader.pos < reader.end and reader.peek() not in BLANK + LINE_END + ";|,(){}<>&":
            if reader.pos in reader.at:
                named = re.fullmatch(r"-[A-Za-z]\w*:", reader.text[start : reader.pos])
                if named:
                    self.words.append(named[0])
                    return
                reader.place("", GLUED)
            elif reader.peek() == "`":
                reader.pos += 1
                if reader.pos in reader.at:
                    reader.place("", ESCAPED)
                else:
                    reader.pos += 1
            elif reader.peek() in SINGLE + DOUBLE:
                reader.single_quoted() if reader.peek() in SINGLE else reader.double_quoted()
            elif reader.peek() in "$@" and reader.pos > start:
                break
            else:
                reader.pos += 1
        fixed = held == len(reader.verdicts)
        self.words.append(reader.text[start : reader.pos] if fixed else None)

    def _argument_sign(self) -> None:
        reader = self.reader
        if reader.peek() in ")}]":
            raise LostTrack(f"{reader.peek()} is not expected here.", "Remove it.")
        if reader.peek() == "&":
            self._judge()
            self.mode = Mode.STATEMENT
        reader.pos += 1
        if reader.text[reader.pos - 1] == ">" and reader.sees("&1"):
            reader.pos += 2

    def _verbatim(self) -> None:
        reader = self.reader
        end = re.compile(r"[\r\n]|$").search(reader.text, reader.pos, reader.end)
        reader.skip_to(end.start() if end else reader.end, VERBATIM)

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
