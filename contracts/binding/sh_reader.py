"""The grammar of the POSIX shell with bash's additions: whose argument a word is (XCU 2.9, 2.10)."""

from collections.abc import Sequence

from contracts.binding.model import LostTrack, Placeholder, Why, words
from contracts.binding.reading import Verdict, all_read
from contracts.binding.sh_commands import STDIN
from contracts.binding.sh_simple import SimpleReader
from contracts.binding.sh_words import ARITHMETIC

_UNSAFE_TESTS = words("-eq -ne -lt -le -gt -ge -v -R -a -o")

PATTERN = Why("In a pattern of `case` the value would not be data.", 'Compare with [ "$x" = {name} ].')
LOOP_NAME = Why("The name of a variable is fixed text.", "Write the name itself.")
INTEGER = Why(
    "A variable declared as integer, array or reference executes its value.", "Do not declare it so."
)
CONDITION = Why(
    "In [[ ]] this test executes the value, or not every shell reads it so.", "Use [ {name} = x ]."
)


class ShellReader(SimpleReader):
    """Every `read…` method returns whether what it read executes its standard input."""

    def __init__(self, text: str, marks: Sequence[Placeholder]) -> None:
        super().__init__(text, marks)
        self.read_list = self._list

    def whole(self) -> None:
        self._list(frozenset())
        if self.pos < self.end or self.waiting:
            raise LostTrack(f"{self.peek()!r} is not expected here.", "Correct the script before this place.")
        if self.integers:
            for number in self.assigned:
                self.refuse(number, number + 1, INTEGER)

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
