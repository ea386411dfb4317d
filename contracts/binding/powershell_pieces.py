"""Pieces of PowerShell statements: brackets, strings, variables and bare arguments (about_Parsing)."""

import re
from contextlib import nullcontext

from contracts.binding import powershell_commands as commands
from contracts.binding.model import LostTrack, Why
from contracts.binding.powershell_text import (
    BLANK,
    DOUBLE,
    ESCAPED,
    LINE_END,
    NAMES,
    SINGLE,
    VARIABLE,
    Mode,
    PowerShellReader,
)

COMMAND = Why(
    "Here the name of a command is expected.", "Write the command itself, or ({name}) for the value."
)
GLUED = Why(
    "Text that touches the placeholder would change what it means.", 'Put it in double quotes: "…{name}…".'
)
VERBATIM = Why("After --% nothing is replaced.", "Leave --% out and write {name} as an argument.")
PROGRAM = Why(
    "The value would choose the program that runs.", "Write the program itself; {name} may be its argument."
)


class Pieces:
    """One statement or pipeline, read from where the reader stands, piece by piece."""

    def __init__(self, reader: PowerShellReader, mode: Mode) -> None:
        self.reader = reader
        self.mode = mode
        self.words: list[str | None] = []
        self.pipeline = len(reader.verdicts)
        self.cast_refused = False
        self.keyword = False

    def _judge(self) -> None:
        """At the end of a command: a later one in the pipeline is given what the earlier ones put out."""
        if why := commands.refused_arguments(self.words):
            self.reader.refuse(self.pipeline, None, why)
        self.words = []

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
