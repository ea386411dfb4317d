"""Words of the POSIX shell and bash: quotes, expansions, here-documents (POSIX.1-2017, XCU 2.2 to 2.7).

dash, bash and busybox sh must all read a script the same way; where they differ, everything is refused.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.binding.model import LostTrack, Placeholder, Why
from contracts.binding.reading import Reading

BARE = '"${{OPS_{name}}}"'
INSIDE = "${{OPS_{name}}}"
HOLE = "\0"
"""Stands for text in `Word.text` that only the running shell knows."""

BLANK = " \t"
META = " \t\n;&|<>()"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]", re.ASCII)
JOINED_OPERATOR = re.compile(r"\$\\\n|[<>&|;()](\\\n)+[<>&|;()-]")
SHIFT = re.compile(r"<<=?\s*\w+\s*\)")

PLAIN = "Write it bare, {name}, or between double quotes."
SINGLE = Why("Between single quotes nothing is replaced.", 'Use double quotes: "… {name} …".')
ANSI = Why("Between $'…' nothing is replaced.", 'Use double quotes: "… {name} …".')
TRANSLATED = Why('$"…" is translated before it is used.', 'Leave the dollar sign out: "… {name} …".')
BACKTICK = Why(
    "Backticks read their text twice, which would execute the value.", 'Use $( ): "$(command {name})".'
)
ARITHMETIC = Why(
    "Arithmetic executes what stands in array subscripts of the value.", "Compare with [ {name} -gt 5 ]."
)
EXPANSION = Why(
    "Inside ${…} the value would be a pattern or part of a name.", "Assign first: x={name}; then ${x…}."
)
DOLLAR = Why("A dollar sign stands before the placeholder.", "Leave the dollar sign out: {name}.")
BACKSLASH = Why(
    "A backslash stands before the placeholder and would escape it.", "Leave the backslash out: {name}."
)
QUOTED_END = Why(
    "In a here-document with a quoted end mark nothing is replaced.", "Leave the quotes out: <<END."
)
END_MARK = Why("The end mark of a here-document is fixed text.", "Write a word, for example <<END.")


@dataclass(slots=True)
class Word:
    """One word. `first` and `last` are the numbers of the verdicts of the placeholders in it."""

    text: str
    plain: bool
    """Written without quotes, escapes and expansions: it may be a reserved word or an assignment."""
    first: int
    last: int
    may_vanish: bool = False
    """Nothing but expansions that may leave no word at all; then the next word stands in its place."""

    @property
    def holds(self) -> bool:
        return self.last > self.first

    @property
    def static(self) -> bool:
        return HOLE not in self.text

    @property
    def prefix(self) -> str:
        """The fixed text before anything that only the running shell knows."""
        return self.text.partition(HOLE)[0]


@dataclass(slots=True)
class HereDocument:
    """A here-document whose body starts at the next line end; `why` refuses the placeholders in it."""

    end_mark: str
    quoted: bool
    tabs_stripped: bool
    why: Why | None = None


class WordReader(Reading):
    """Reads words; what stands in `$( )` is read by `read_list`, which the grammar provides."""

    def __init__(self, text: str, marks: Sequence[Placeholder]) -> None:
        super().__init__(text, marks)
        self.waiting: list[HereDocument] = []
        self.read_list: Callable[[frozenset[str]], bool]
        joined = JOINED_OPERATOR.search(text)
        self._joined_at = joined.start() if joined else self.end

    def word(self) -> Word:
        first, start = len(self.verdicts), self.pos
        parts: list[str] = []
        plain = vanishes = True
        while self.pos < self.end:
            char = self.peek()
            if char in META and not (char in "<>" and self.peek(1) == "("):
                break
            vanishes = vanishes and char in "`$" and self.pos not in self.at
            plain = plain and char not in "\\'\"`$<>" and self.pos not in self.at
            parts.append(self._part(char))
        if self.pos > self._joined_at:
            raise LostTrack(
                "A line is continued in the middle of an operator.", "Write the operator on one line."
            )
        if self.pos == start:
            raise LostTrack(f"{self.peek()!r} is not expected here.", PLAIN)
        if self.waiting and "\n" in self.text[start : self.pos]:
            raise LostTrack("A word goes over the line end where a here-document starts.", "Write it before.")
        text = "".join(parts)
        vanishes = vanishes or (not text.strip(HOLE) and "@" in self.text[start : self.pos])
        return Word(text, plain, first, len(self.verdicts), may_vanish=vanishes)

    def _part(self, char: str) -> str:
        if self.pos in self.at:
            self.place(BARE)
        elif char in "<>":
            self.pos += 2
            self._command_in_parentheses()
        elif char in "\\'\"`$":
            return self._quoting(char)
        else:
            return self._as_it_is()
        return HOLE

    def _quoting(self, char: str) -> str:
        if char == "\\":
            return self._escaped()
        if char == "'":
            return self._literal_to("'", SINGLE)
        return self.double_quoted() if char == '"' else self.expansion(quoted=False)

    def _escaped(self) -> str:
        self.pos += 1
        if self.pos in self.at:
            self.place("", BACKSLASH)
            return HOLE
        char = self.peek()
        self.pos += 1
        return "" if char == "\n" else char

    def _literal_to(self, quote: str, why: Why) -> str:
        start = self.pos + 1
        end = self.text.find(quote, start, self.end)
        if end < 0:
            raise LostTrack(f"The quote {quote} is not closed.", "Close it.")
        held = len(self.verdicts)
        self.skip_to(end, why)
        self.pos = end + 1
        return self.text[start:end] if held == len(self.verdicts) else HOLE

    def double_quoted(self) -> str:
        self.pos += 1
        parts: list[str] = []
        while self.peek() != '"':
            if self.pos >= self.end:
                raise LostTrack('The quote " is not closed.', "Close it.")
            parts.append(self._quoted_part())
        self.pos += 1
        return "".join(parts)

    def _quoted_part(self) -> str:
        char = self.peek()
        if self.pos in self.at:
            self.place(INSIDE)
            return HOLE
        if char == "\\":
            escapes = self.peek(1) in '$`"\\\n'
            return self._escaped() if escapes or self.pos + 1 in self.at else self._as_it_is()
        return self.expansion(quoted=True) if char in "`$" else self._as_it_is()

    def _as_it_is(self) -> str:
        self.pos += 1
        return self.text[self.pos - 1]

    def expansion(self, *, quoted: bool) -> str:
        """What starts with a dollar sign or a backtick here. Returns HOLE, or the text if it is fixed."""
        if self.peek() == "`":
            return self._backticks()
        self.pos += 1
        following = self.peek()
        if self.pos in self.at:
            self.place("", DOLLAR)
        elif following and following in "'\"" and not quoted:
            return self._dollar_quoted(following)
        elif self.sees("(("):
            self.parentheses(ARITHMETIC)
        elif following == "(":
            self.pos += 1
            self._command_in_parentheses()
        elif following == "{":
            self._parameter_expansion(quoted=quoted)
        elif following == "[":
            raise LostTrack("$[ ] is arithmetic in some shells only.", "Use $(( )) without placeholders.")
        else:
            return self._variable()
        return HOLE

    def _variable(self) -> str:
        name = VARIABLE.match(self.text, self.pos, self.end)
        if name is None:
            return "$"
        self.pos = name.end()
        return HOLE

    def _dollar_quoted(self, quote: str) -> str:
        if quote == '"':
            with self.barred(TRANSLATED):
                self.double_quoted()
            return HOLE
        start = self.pos
        self._literal_to("'", ANSI)
        if self.text[start : self.pos].endswith("\\'"):
            raise LostTrack("\\' inside $'…' ends it in some shells and not in others.", 'Write "…" instead.')
        return HOLE

    def _backticks(self) -> str:
        end = self.pos + 1
        while end < self.end and self.text[end] != "`":
            end += 2 if self.text[end] == "\\" else 1
        if end >= self.end:
            raise LostTrack("The backtick is not closed.", "Use $( ) instead.")
        self.skip_to(end, BACKTICK)
        self.pos = end + 1
        return HOLE

    def _command_in_parentheses(self) -> None:
        """After `$(` or `<(`: a list of commands up to the closing parenthesis."""
        outside, self.waiting = self.waiting, []
        with self.nested():
            self.read_list(frozenset())
        if self.peek() != ")" or self.waiting:
            raise LostTrack("$( is not closed, or a here-document in it is not.", "Close it.")
        self.pos += 1
        self.waiting = outside

    def parentheses(self, why: Why) -> None:
        """From `((` to the matching `))`; every placeholder between is refused."""
        depth = 0
        with self.barred(why), self.nested():
            while self.pos < self.end:
                char = self.peek()
                if char in "()":
                    depth += 1 if char == "(" else -1
                    self.pos += 1
                    if depth == 0:
                        break
                elif char in "#;<>|&" or not char.isprintable():
                    self._plain_arithmetic_only(char)
                else:
                    self._part(char)
        if depth or self.text[self.pos - 2 : self.pos] != "))":
            raise LostTrack("(( is not closed by )).", "Close it, or put a space between two parentheses.")

    def _plain_arithmetic_only(self, char: str) -> None:
        """`((` may also open two subshells; then comments and here-documents would be read differently."""
        comment = char == "#" and not self.text[self.pos - 1].isalnum()
        document = self.sees("<<") and not SHIFT.match(self.text, self.pos)
        if comment or document:
            raise LostTrack(
                "This may be arithmetic or two subshells.", "Put a space between the two parentheses."
            )
        self.pos += 2 if self.sees("<<") else 1

    def _parameter_expansion(self, *, quoted: bool) -> None:
        self.pos += 1
        if self.peek() and self.peek() in " \t\n|":
            raise LostTrack("${ command; } is known to few shells.", "Use $( ).")
        with self.barred(EXPANSION), self.nested():
            while self.peek() != "}":
                if self.pos >= self.end:
                    raise LostTrack("${ is not closed.", "Close it.")
                char = self.peek()
                if char in "'\"" and quoted:
                    raise LostTrack("A quote in a quoted ${…} is read differently by shells.", PLAIN)
                if char in "<>":
                    self.pos += 1
                else:
                    self._part(char)
        self.pos += 1

    def here_document_bodies(self) -> None:
        """At the start of the line after here-documents were opened: read all their bodies."""
        waiting, self.waiting = self.waiting, []
        for document in waiting:
            body_end, after = self._body_of(document)
            first, outer_end = len(self.verdicts), self.end
            if document.quoted:
                self.skip_to(body_end, QUOTED_END)
            else:
                self.end = body_end
                while self.pos < self.end:
                    self._document_part()
                self.end = outer_end
            if document.why:
                self.refuse(first, None, document.why)
            self.pos = after

    def _document_part(self) -> None:
        if self.peek() == "\\" and (self.peek(1) in "$`\\\n" or self.pos + 1 in self.at):
            self._escaped()
        else:
            self._quoted_part() if self.peek() != "\\" else self._as_it_is()

    def _body_of(self, document: HereDocument) -> tuple[int, int]:
        """Where the body ends and where the line after its end mark starts."""
        start, continued = self.pos, False
        while start < self.end:
            stop = self.text.find("\n", start, self.end)
            stop = self.end if stop < 0 else stop
            line = self.text[start:stop]
            bare = line.lstrip("\t") if document.tabs_stripped else line
            if bare == document.end_mark:
                if continued:
                    raise LostTrack(
                        "A backslash stands before the end mark of the here-document.", "Remove it."
                    )
                return start, min(stop + 1, self.end)
            continued = not document.quoted and (len(line) - len(line.rstrip("\\"))) % 2 == 1
            start = stop + 1
        raise LostTrack(f"The here-document is not ended by {document.end_mark!r}.", "Write its end mark.")
