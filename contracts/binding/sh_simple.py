"""Simple commands of the shell: their words, assignments and redirections (POSIX.1-2017, XCU 2.7, 2.9.1)."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

from contracts.binding.model import LostTrack, Placeholder, Why, words
from contracts.binding.sh_commands import STDIN, judge_command
from contracts.binding.sh_words import BLANK, END_MARK, HereDocument, Word, WordReader

_TOKEN = re.compile(r"[^\s;&|<>()'\"\\$`]+")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^\]]*\])?(\+?)=", re.ASCII)
_SUBSCRIPT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\[", re.ASCII)
_INTEGER_FLAG = re.compile(r"[-+][A-Za-z]*[in]")
_REDIRECTION = re.compile(r"[0-9]*(<<<|<<-?|<>|<&|<(?!\()|>>|>&|>\||>(?!\()|&>>?)")
_MAGIC = words(
    "PS0 PS1 PS2 PS4 PROMPT_COMMAND ENV BASH_ENV RANDOM SRANDOM SECONDS OPTIND LINENO HISTCMD "
    "BASHOPTS SHELLOPTS IFS BASH_ARGV0 BASH_COMPAT"
)
_MISPLACED = words("then elif else fi do done esac } ]]")

ASSIGNED = Why("Only a plain name=value assignment takes a value as data in every shell.", "Write x={name}.")
MAGIC = Why(
    "The shell executes or computes what is assigned to this variable.", "Use a variable of another name."
)
DUPLICATE = Why("After >& or <& stands a number.", "Write > {name} 2>&1.")
AFTER_BOTH = Why("After &> some shells begin a new command.", "Write > file 2>&1 at the end of the command.")


class SimpleReader(WordReader, ABC):
    """Reads what is not a compound command."""

    def __init__(self, text: str, marks: Sequence[Placeholder]) -> None:
        super().__init__(text, marks)
        self.assigned: list[int] = []
        self.integers = False

    def _gap(self, *, lines: bool) -> None:
        """Step over blanks, continued lines and comments; over line ends only if `lines`."""
        while self.pos < self.end:
            if self.peek() in BLANK:
                self.pos += 1
            elif self.sees("\\\n"):
                self.pos += 2
            elif self.peek() == "#":
                self._comment()
            elif self.peek() == "\n" and lines:
                self.pos += 1
                self.here_document_bodies()
            else:
                return

    def _comment(self) -> None:
        while self.pos < self.end and self.peek() != "\n":
            if self.pos in self.at:
                self.place("${{OPS_{name}}}")
            else:
                self.pos += 1

    def _reserved(self, words: frozenset[str]) -> str:
        """The reserved word that stands here, if it is one of these."""
        token = _TOKEN.match(self.text, self.pos, self.end)
        if token is None or token[0] not in words or self.pos in self.at:
            return ""
        return "" if self.text[token.end() : token.end() + 1] in tuple("\\'\"$`") else token[0]

    def _expect(self, text: str) -> None:
        self._gap(lines=True)
        if not self.sees(text):
            raise LostTrack(f"{text!r} is missing here.", "Complete the command.")
        self.pos += len(text)

    def _run_input(self, runs: bool, first: int, opened: int) -> None:  # noqa: FBT001 - what every reader returns
        if runs:
            self.refuse(first, None, STDIN)
            for document in self.waiting[opened:]:
                document.why = document.why or STDIN

    def _simple(self) -> bool:
        words: list[Word] = []
        opened, both = len(self.waiting), None
        redirected: list[tuple[int, int]] = []
        while True:
            self._gap(lines=False)
            first = len(self.verdicts)
            redirection = self._redirection()
            if redirection:
                redirected.append((first, len(self.verdicts)))
                both = len(self.verdicts) if redirection.startswith("&>") and both is None else both
            elif self.pos >= self.end or self.peek() in "\n;&|)":
                break
            elif self.peek() == "(":
                if len(words) == 1 and words[0].plain:
                    self.pos += 1
                    self._expect(")")
                    return self._function_body()
                raise LostTrack("A parenthesis is not expected here.", "Quote it, or begin a new command.")
            else:
                self._word_of_command(words)
        if both is not None:
            self.refuse(both, None, AFTER_BOTH)
        return self._judge(words, redirected, opened)

    def _word_of_command(self, words: list[Word]) -> None:
        subscript = None if words else _SUBSCRIPT.match(self.text, self.pos, self.end)
        assignment = _ASSIGNMENT.match(self.text, self.pos, self.end)
        if subscript and not assignment:
            raise LostTrack("This array subscript could not be understood.", "Assign to a plain variable.")
        word = self.word()
        if words or not assignment:
            if not words and word.plain and word.text in _MISPLACED:
                raise LostTrack(
                    f"`{word.text}` is not expected here.", "Correct the script before this place."
                )
            words.append(word)
            return
        if self.peek() == "(" and self.text[self.pos - 1] == "=":
            self._array(word)
        if assignment[2] or assignment[3]:
            self.refuse(word.first, None, ASSIGNED)
        elif assignment[1] in _MAGIC:
            self.refuse(word.first, None, MAGIC)
        self.assigned.extend(range(word.first, len(self.verdicts)))

    def _array(self, name: Word) -> None:
        """`name=( words )`, in bash. A word such as `[x]=y` would be computed."""
        self.pos += 1
        while True:
            self._gap(lines=True)
            if self.peek() == ")":
                self.pos += 1
                break
            word = self.word()
            if word.text.startswith("["):
                self.refuse(word.first, word.last, ASSIGNED)
        name.last = len(self.verdicts)

    def _judge(self, words: Sequence[Word], redirected: Sequence[tuple[int, int]], opened: int) -> bool:
        judged = judge_command(words)
        for number, why in judged.refused.items():
            self.refuse(words[number].first, words[number].last, why)
        if words and words[0].text in ("declare", "typeset", "local", "readonly", "export"):
            flags = [word for word in words[1:] if word.prefix[:1] in ("-", "+", "")]
            self.integers |= any(not word.static or _INTEGER_FLAG.match(word.text) for word in flags)
        self._run_input(judged.runs_stdin, len(self.verdicts), opened)
        if judged.runs_stdin:
            for first, last in redirected:
                self.refuse(first, last, STDIN)
        return judged.runs_stdin

    def _redirections(self) -> None:
        self._gap(lines=False)
        while self._redirection():
            self._gap(lines=False)

    def _redirection(self) -> str:
        """Read one redirection if it stands here; returns its operator."""
        match = _REDIRECTION.match(self.text, self.pos, self.end)
        if match is None:
            return ""
        self.pos = match.end()
        self._gap(lines=False)
        operator = match[1]
        if operator in ("<<", "<<-"):
            self._open_document(tabs_stripped=operator == "<<-")
        else:
            first = len(self.verdicts)
            self.word()
            if operator in (">&", "<&"):
                self.refuse(first, None, DUPLICATE)
        return operator

    def _open_document(self, *, tabs_stripped: bool) -> None:
        start = self.pos
        with self.barred(END_MARK):
            word = self.word()
        written = self.text[start : self.pos]
        if "$" in written or "`" in written or "\n" in written:
            raise LostTrack("The end mark of the here-document is not plain text.", "Write a word: <<END.")
        self.waiting.append(HereDocument(word.text, not word.plain, tabs_stripped))

    @abstractmethod
    def _function_body(self) -> bool:
        """Whether a function's body followed, which was read."""
