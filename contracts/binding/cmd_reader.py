"""A tokenizer for cmd.exe scripts with delayed expansion.

cmd replaces `%NAME%` before it splits a line into commands and `!NAME!` after, so a value in `!OPS_name!`
cannot become an operator, unless the line is read a second time: by a pipe, `call`, `start`, `for /f` or
another shell.
Lines that belong together by parentheses or a caret at their end are judged as one.
"""

import re
from collections.abc import Sequence

from contracts.binding.model import Placeholder, Why, words
from contracts.binding.reading import DEEPEST, Reading, Verdict, all_read

REFERENCE = "!OPS_{name}!"

EXCLAMATION = Why(
    "The script holds a !, which delayed expansion would eat.",
    "Leave the ! out; variables of the script: %NAME%.",
)
PIPE = Why("Both sides of a pipe are read a second time.", 'Write to a file first: command "{name}" > file.')
CARET = Why(
    "On a line with a placeholder cmd reads the caret twice.", 'Use quotes instead of carets: "{name}".'
)
FOR_FILES = Why("`for /f` reads its text a second time.", "Use a PowerShell step.")
FOR_SET = Why(
    "In the list of `for` the value would be split and searched for files.", "Use it behind `do`: {name}."
)
AGAIN = Why(
    "This command reads its arguments a second time and would execute the value.", "Use a PowerShell step."
)
COMMAND = Why(
    "The value would choose the command that runs.", "Write the command itself; {name} may be its argument."
)
UNKNOWN = Why("Which command this is shows only when it runs.", "Write its name.")
LABEL = Why("Labels, `goto` and comments take fixed text.", "Write the name itself, or `echo {name}`.")
REDIRECTED = Why("A file name behind > or < must be one word.", 'Put it in quotes: > "{name}".')
SET_NAME = Why("`set` takes the value only behind a fixed name.", 'Write set "x={name}".')
COMPUTED = Why("`set /a` computes the value and `set /p` waits for input.", 'Write set "x={name}".')
SWITCHED_OFF = Why("The script switches delayed expansion or extensions itself.", "Leave setlocal out.")
PASTED = Why("The script pastes the value with %OPS_…%.", "Write {name} only.")
BLOCK = Why("The parentheses around this line could not be understood.", "Write one command on each line.")
CONDITION = Why("This condition could not be understood.", 'Write if "{name}"=="x" command.')

_READS_AGAIN = words(
    "call start cmd powershell pwsh wsl bash sh ssh psexec psexec64 winrs schtasks at wmic "
    "forfiles mshta rundll32 cscript wscript msiexec sqlcmd python python3 py perl ruby node "
    "php npm npx yarn pnpm code az gcloud mvn gradle gradlew plink"
)
_BATCH = re.compile(r"\.(bat|cmd)\b")
_SETLOCAL = re.compile(r"(?i)\b(setlocal|endlocal)\b(?!\s+enabledelayedexpansion\s*$)|/v:off", re.MULTILINE)
_FIXED_SET = re.compile(r'"?[A-Za-z_]\w*=')
_WORD = re.compile(r'[^\s,;=()&|<>"]+')
_LABEL = re.compile(r"[ \t,;=@(]*:")
_REMARK = re.compile(r"(?i)(?:^|[&(])[ \t@,;=]*rem(?=[\s,;=.:/]|$)")


class CmdReader(Reading):
    """Reads groups of lines; each becomes a list of commands."""

    def whole(self) -> None:
        why = _whole_script(self)
        for start, end in _groups(self.text):
            self.pos = start
            if why:
                self.skip_to(end, why)
            elif self.has_placeholder(start, end):
                self._group(start, end)

    def _group(self, start: int, end: int) -> None:
        text = self.text[start:end]
        why = _whole_group(text)
        if why:
            self.skip_to(end, why)
            return
        self.end = end
        if _LABEL.match(text):
            self.skip_to(end, LABEL)
        while self.pos < end:
            self._command(within=())
        self.end = len(self.text)

    def _command(self, within: tuple[str, ...]) -> None:
        """One command up to the next operator, from where the reader stands."""
        self._blanks("@(")
        if self._finish_operator():
            return
        if self.pos in self.at:
            self.place("", COMMAND)
            self._rest("", None)
            return
        name = self._name()
        if name is None:
            self._rest("", COMMAND)
        elif name == "if" and len(within) < DEEPEST:
            self._if(within)
        elif name == "for" and len(within) < DEEPEST:
            self._for(within)
        elif name == "else":
            self._command((*within, name))
        else:
            self._rest(name, _why_of(name, self.text[self.pos : self.end]))

    def _blanks(self, extra: str = "") -> None:
        while self.pos < self.end and self.peek() in " \t,;=\r\n" + extra:
            self.pos += 1

    def _finish_operator(self) -> bool:
        if self.pos >= self.end:
            return True
        if self.peek() in "&|)":
            self.pos += 1
            return True
        return False

    def _name(self) -> str | None:
        """The command as it is written, in small letters; None if it is not fixed text."""
        if self.peek() == '"':
            close = self.text.find('"', self.pos + 1, self.end)
            if close < 0 or self.has_placeholder(self.pos, close):
                return None
            name, self.pos = self.text[self.pos + 1 : close], close + 1
        else:
            word = _WORD.match(self.text, self.pos, self.end)
            if word is None or self.has_placeholder(word.start(), word.end()):
                return None
            name, self.pos = word[0], word.end()
        return None if self.pos in self.at else name.lower()

    def _rest(self, name: str, why: Why | None) -> None:
        """The arguments of a command. A quote hides operators until the next quote or line end."""
        quoted = False
        start = self.pos
        while self.pos < self.end:
            char = self.peek()
            if self.pos in self.at:
                self.place(REFERENCE, why or self._place_of(name, start, quoted=quoted))
                continue
            quoted = (not quoted if char == '"' else quoted) and char not in "\r\n"
            if not quoted and char in "&|\r\n)":
                return
            self.pos += 1

    def _place_of(self, name: str, start: int, *, quoted: bool) -> Why | None:
        before = self.text[start : self.pos]
        if not quoted and re.search(r"[<>][ \t]*\S*$", before.rpartition('"')[2]):
            return REDIRECTED
        if name == "set" and not _FIXED_SET.match(before.lstrip()):
            return SET_NAME
        return None

    def _if(self, within: tuple[str, ...]) -> None:
        """`if [/i] [not] condition command`: the condition takes values, the command is judged by itself."""
        words = re.compile(r"[ \t]*(/i\b|not\b)", re.IGNORECASE)
        while match := words.match(self.text, self.pos, self.end):
            self.pos = match.end()
        self._blanks()
        unary = re.compile(r"(exist|defined|errorlevel|cmdextversion)[ \t]+", re.IGNORECASE)
        if match := unary.match(self.text, self.pos, self.end):
            self.pos = match.end()
            self._operand(SET_NAME if match[1].lower() == "defined" else None)
        else:
            self._operand(None)
            operator = re.compile(r"[ \t]*(==|(equ|neq|lss|leq|gtr|geq)[ \t])[ \t]*", re.IGNORECASE)
            match = operator.match(self.text, self.pos, self.end)
            if match is None:
                self.skip_to(self.end, CONDITION)
                return
            self.pos = match.end()
            self._operand(None)
        self._command((*within, "if"))

    def _operand(self, why: Why | None) -> None:
        quoted = False
        while self.pos < self.end:
            if self.pos in self.at:
                self.place(REFERENCE, why)
                continue
            char = self.peek()
            quoted = not quoted if char == '"' else quoted
            if not quoted and char in " \t=&|()<>\r\n,;":
                return
            self.pos += 1

    def _for(self, within: tuple[str, ...]) -> None:
        do = re.compile(r"(?i)\)\s*do\b").search(self.text, self.pos, self.end)
        if do is None:
            self.skip_to(self.end, FOR_SET)
            return
        self.skip_to(do.end(), FOR_SET)
        self._command((*within, "for"))


def _why_of(command: str, rest: str) -> Why | None:
    """Why no argument of this command may hold a placeholder. A switch may touch the name: `start/b`."""
    file = command.rpartition("\\")[2]
    name = re.split(r"[/:.+(\[]", file)[0]
    if "%" in file:
        return UNKNOWN
    if {name, file.rpartition("/")[2].removesuffix(".exe")} & _READS_AGAIN or _BATCH.search(command):
        return AGAIN
    if name in ("rem", "goto", "exit", ""):
        return LABEL
    if name == "set" and re.search(r'(?i)^[\s"]*/[ap]|/[ap]$', rest if file == "set" else file):
        return COMPUTED
    return None


def _whole_script(reader: CmdReader) -> Why | None:
    """What in the script outside its placeholders forbids every one of them."""
    if "!" in reader.text:
        return EXCLAMATION
    if "%ops_" in reader.text.lower():
        return PASTED
    return SWITCHED_OFF if _SETLOCAL.search(reader.text) else None


def _whole_group(text: str) -> Why | None:
    if "^" in text:
        return CARET
    if "|" in text.replace("||", ""):
        return PIPE
    if re.search(r"(?i)\bfor[\s,;=]*/f", text):
        return FOR_FILES
    if "\n" in text.strip("\r\n") and _REMARK.search(text):
        return BLOCK
    return None


def _groups(text: str) -> list[tuple[int, int]]:
    """Lines that cmd reads as one: inside parentheses, and joined by a caret. Rather too many than too few.

    In doubt a parenthesis opens and does not close, so a group may be longer than cmd's, never shorter.
    """
    groups, start, depth = [], 0, 0
    for line in re.finditer(r"[^\n]*(\n|$)", text):
        if line.start() == len(text):
            break
        body = line[0].rstrip("\r\n")
        if not (_LABEL.match(body) or _REMARK.search(body)):
            depth = max(0, depth + _opened(body))
        if depth == 0 and not body.endswith("^"):
            groups.append((start, line.end()))
            start = line.end()
    if start < len(text):
        groups.append((start, len(text)))
    return groups


def _opened(line: str) -> int:
    depth, quoted, escaped = 0, False, False
    for char in line:
        if escaped:
            escaped = False
        elif char == '"':
            quoted = not quoted
        elif char == "^" and not quoted:
            escaped = True
        elif char in "()" and not quoted:
            depth += 1 if char == "(" else -1
    return depth


def read_cmd(script: str, marks: Sequence[Placeholder]) -> list[Verdict]:
    """A verdict for every placeholder of a cmd script."""
    reader = CmdReader(script, marks)
    reader.whole()
    return all_read(reader, marks, None)
