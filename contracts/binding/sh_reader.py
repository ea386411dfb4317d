"""The grammar of the POSIX shell with bash's additions: which command every word belongs to (XCU 2.9, 2.10)."""

import re
from collections.abc import Sequence

from contracts.binding.model import LostTrack, Placeholder, Why, words
from contracts.binding.reading import Verdict, all_read
from contracts.binding.sh_commands import STDIN, judge_command
from contracts.binding.sh_words import ARITHMETIC, BLANK, END_MARK, HereDocument, Word, WordReader

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
_UNSAFE_TESTS = words("-eq -ne -lt -le -gt -ge -v -R -a -o")

PATTERN = Why("In a pattern of `case` the value would not be data.", 'Compare with [ "$x" = {name} ].')
LOOP_NAME = Why("The name of a variable is fixed text.", "Write the name itself.")
ASSIGNED = Why("Only a plain name=value assignment takes a value as data in every shell.", "Write x={name}.")
MAGIC = Why(
    "The shell executes or computes what is assigned to this variable.", "Use a variable of another name."
)
INTEGER = Why(
    "A variable declared as integer, array or reference executes its value.", "Do not declare it so."
)
CONDITION = Why(
    "In [[ ]] this test executes the value, or not every shell reads it so.", "Use [ {name} = x ]."
)
DUPLICATE = Why("After >& or <& stands a number.", "Write > {name} 2>&1.")
AFTER_BOTH = Why("After &> some shells begin a new command.", "Write > file 2>&1 at the end of the command.")


class ShellReader(WordReader):
    """Every `read…` method returns whether what it read executes its standard input."""

    def __init__(self, text: str, marks: Sequence[Placeholder]) -> None:
        super().__init__(text, marks)
        self.read_list = self._list
        self.assigned: list[int] = []
        self.integers = False

    def whole(self) -> None:
        self._list(frozenset())
        if self.pos < self.end or self.waiting:
            raise LostTrack(f"{self.peek()!r} is not expected here.", "Correct the script before this place.")
        if self.integers:
            for number in self.assigned:
                self.refuse(number, number + 1, INTEGER)

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

    def _list(self, stops: frozenset[str]) -> bool:
        runs = False
        while True:
            self._gap(lines=True)
            if self.pos >= self.end or self.peek() == ")" or self.sees(";;") or self.sees(";&"):
                return runs
            if self._reserved(stops):
                return runs
            runs |= self._pipeline()
            self._gap(lines=False)
            if self.sees("&&") or self.sees("||"):
                self.pos += 2
            elif self.peek() in (";", "&") and not self.sees(";;") and not self.sees(";&"):
                self.pos += 1
            elif self.pos < self.end and self.peek() not in "\n);":
                raise LostTrack(f"{self.peek()!r} is not expected here.", "Begin a new line or write ;.")

    def _pipeline(self) -> bool:
        first = len(self.verdicts)
        self._gap(lines=False)
        while word := self._reserved(frozenset("!")):
            self.pos += len(word)
            self._gap(lines=False)
        runs = self._command()
        while True:
            self._gap(lines=False)
            if self.peek() != "|" or self.sees("||"):
                return runs
            self.pos += 2 if self.sees("|&") else 1
            self._gap(lines=True)
            before = len(self.verdicts)
            if self._command():
                self.refuse(first, before, STDIN)
                for document in self.waiting:
                    document.why = document.why or STDIN

    def _command(self) -> bool:
        with self.nested():
            start, opened = self.pos, len(self.waiting)
            word = self._reserved(frozenset(_COMPOUNDS))
            if self.sees("(("):
                self.parentheses(ARITHMETIC)
                runs = False
            elif self.peek() == "(":
                self.pos += 1
                runs = self._list(frozenset())
                self._expect(")")
            elif word:
                self.pos += len(word)
                runs = _COMPOUNDS[word](self)
            else:
                return self._simple()
            first = len(self.verdicts)
            self._redirections()
            self._run_input(runs, first, opened)
            if self.pos == start:
                raise LostTrack("No command stands here.", "Write one.")
            return runs

    def _run_input(self, runs: bool, first: int, opened: int) -> None:  # noqa: FBT001 - what every reader returns
        if runs:
            self.refuse(first, None, STDIN)
            for document in self.waiting[opened:]:
                document.why = document.why or STDIN

    def _braces(self) -> bool:
        runs = self._list(frozenset("}"))
        self._expect("}")
        return runs

    def _if(self) -> bool:
        runs = self._list(frozenset(("then",)))
        self._expect("then")
        while True:
            runs |= self._list(frozenset(("elif", "else", "fi")))
            word = self._reserved(frozenset(("elif", "else", "fi")))
            self._expect(word or "fi")
            if word == "elif":
                runs |= self._list(frozenset(("then",)))
                self._expect("then")
            elif word != "else":
                return runs

    def _while(self) -> bool:
        runs = self._list(frozenset(("do",)))
        return self._do() or runs

    def _do(self) -> bool:
        self._expect("do")
        runs = self._list(frozenset(("done",)))
        self._expect("done")
        return runs

    def _for(self) -> bool:
        self._gap(lines=False)
        if self.sees("(("):
            self.parentheses(ARITHMETIC)
        else:
            with self.barred(LOOP_NAME):
                self.word()
            self._gap(lines=True)
            if self._reserved(frozenset(("in",))):
                self.pos += 2
                self._words_of_line()
        self._gap(lines=False)
        if self.peek() == ";":
            self.pos += 1
        return self._do()

    def _words_of_line(self) -> None:
        while True:
            self._gap(lines=False)
            if self.pos >= self.end or self.peek() in ";\n":
                return
            self.word()

    def _case(self) -> bool:
        self._gap(lines=False)
        self.word()
        self._expect("in")
        runs = False
        while True:
            self._gap(lines=True)
            if self._reserved(frozenset(("esac",))):
                self.pos += 4
                return runs
            with self.barred(PATTERN):
                self._patterns()
            runs |= self._list(frozenset(("esac",)))
            if self.sees(";"):
                self.pos += 3 if self.sees(";;&") else 2

    def _patterns(self) -> None:
        if self.peek() == "(":
            self.pos += 1
        while True:
            self._gap(lines=False)
            self.word()
            self._gap(lines=False)
            self.pos += 1
            if self.text[self.pos - 1 : self.pos] == ")":
                return
            if self.text[self.pos - 1 : self.pos] != "|":
                raise LostTrack("A pattern of `case` is not ended by a parenthesis.", "Close it.")

    def _function(self) -> bool:
        self._gap(lines=False)
        with self.barred(LOOP_NAME):
            self.word()
        self._gap(lines=False)
        if self.peek() == "(":
            self.pos += 1
            self._expect(")")
        return self._function_body()

    def _function_body(self) -> bool:
        self._gap(lines=True)
        self._command()
        return False

    def _condition(self) -> bool:
        first, conjunct = len(self.verdicts), None
        unsafe = False
        while True:
            self._gap(lines=True)
            if self.pos >= self.end:
                raise LostTrack("[[ is not closed by ]].", "Close it.")
            if self.peek() in ";&|<>()":
                unsafe |= self.peek() in "<>"
                self.pos += 1
                conjunct = len(self.verdicts) if conjunct is None else conjunct
                continue
            word = self.word()
            if word.plain and word.text == "]]":
                break
            unsafe |= word.plain and word.text in _UNSAFE_TESTS
        if unsafe:
            self.refuse(first, None, CONDITION)
        elif conjunct is not None:
            self.refuse(conjunct, None, CONDITION)
        return False

    def _lost(self) -> bool:
        raise LostTrack("`select` and `coproc` are known to few shells.", "Use another form.")

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


_COMPOUNDS = {
    "{": ShellReader._braces,  # noqa: SLF001 - a table of the class's own methods
    "if": ShellReader._if,  # noqa: SLF001
    "while": ShellReader._while,  # noqa: SLF001
    "until": ShellReader._while,  # noqa: SLF001
    "for": ShellReader._for,  # noqa: SLF001
    "case": ShellReader._case,  # noqa: SLF001
    "function": ShellReader._function,  # noqa: SLF001
    "[[": ShellReader._condition,  # noqa: SLF001
    "select": ShellReader._lost,  # noqa: SLF001
    "coproc": ShellReader._lost,  # noqa: SLF001
}


def read_sh(script: str, marks: Sequence[Placeholder]) -> list[Verdict]:
    """A verdict for every placeholder of a script for sh, dash, bash or busybox sh."""
    reader = ShellReader(script, marks)
    try:
        reader.whole()
    except LostTrack as lost:
        # What was judged before stands on what was understood; but a shell may read the whole
        # script differently once one construct is not what it seems, so nothing is bound at all.
        for verdict in reader.verdicts:
            verdict.why = verdict.why or lost.why
        return all_read(reader, marks, lost)
    return all_read(reader, marks, None)
