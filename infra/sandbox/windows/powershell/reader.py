"""Reading PowerShell text: characters, blanks, comments, strings and variables (about_Quoting_Rules)."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from infra.sandbox.windows.powershell.syntax import Block, Expandable, Literal, Node, Sub, Variable

SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'
ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
VARIABLE = re.compile(r"\$(?:\{([^}]+)\}|((?:env|global|script|local):\w+|\w+|[?$^]))", re.IGNORECASE)
BLANKS = re.compile(r"(?:[ \t]|`\r?\n|<#.*?#>)+", re.DOTALL)
BLANKS_AND_LINES = re.compile(r"(?:[ \t\r\n]|`\r?\n|<#.*?#>|#[^\r\n]*)+", re.DOTALL)
BETWEEN_STATEMENTS = re.compile(r"(?:[ \t\r\n;]|`\r?\n|<#.*?#>|#[^\r\n]*)+", re.DOTALL)


class SyntaxProblem(Exception):
    """The script is not valid, or uses what this simulation does not know."""


class Reader(ABC):
    """A position in a text. `read_block` is how `$( )` inside of strings is read: the parser gives it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @abstractmethod
    def read_block(self, end: str) -> Block:
        """The statements up to `end`, which is read, too."""

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.text[at] if at < len(self.text) else ""

    def skip(self, pattern: re.Pattern[str] = BLANKS) -> None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def take(self, text: str) -> bool:
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            found = self.text[self.at : self.at + 20].split("\n")[0]
            raise SyntaxProblem(f"Missing '{text}' before '{found}'.")

    # -- variables and strings

    def variable(self) -> Node | None:
        """`$name`, `${name}` or `$( )` at this place; None when the dollar is only a dollar."""
        if self.text.startswith("$(", self.at):
            self.at += 2
            block = self.read_block(")")
            self.need(")")
            return Sub(block)
        match = self.match(VARIABLE)
        return Variable((match[1] or match[2]).lower()) if match else None

    def string(self) -> Node:
        """A string literal of any of the four kinds."""
        quote = self.peek()
        if quote == "@":
            return self._here_string()
        self.at += 1
        return Literal(self._single()) if quote in SINGLE else self._double(lambda: self.peek() in DOUBLE)

    def _single(self) -> str:
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char in SINGLE:
                if not self.peek() or self.peek() not in SINGLE:
                    return "".join(out)
                self.at += 1
            out.append(char)
        raise SyntaxProblem("The string is missing the terminator: '.")

    def _double(self, at_end: Callable[[], bool], end_length: int = 1) -> Expandable:
        parts: list[str | Node] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if at_end():
                doubled = end_length == 1 and self.peek(1) and self.peek(1) in DOUBLE
                self.at += 2 if doubled else end_length
                if not doubled:
                    return Expandable(tuple(parts))
                parts.append(char)
            elif char == "`":
                parts.append(self.escape())
            elif char == "$" and (expression := self.variable()) is not None:
                parts.append(expression)
            else:
                parts.append(char)
                self.at += 1
        raise SyntaxProblem('The string is missing the terminator: ".')

    def escape(self) -> str:
        char = self.peek(1)
        self.at += 2
        return ESCAPES.get(char, char)

    def _here_string(self) -> Node:
        match = re.compile(r"@(['\"])[ \t]*\r?\n").match(self.text, self.at)
        if match is None:
            raise SyntaxProblem("No characters are allowed after a here-string header.")
        end = re.compile(r"\r?\n" + match[1] + "@")
        self.at = match.end()
        if match[1] == '"':
            return self._double(lambda: end.match(self.text, self.at) is not None, self._end_length(end))
        found = end.search(self.text, self.at - 1)
        if found is None:
            raise SyntaxProblem("The string is missing the terminator: '@.")
        text = self.text[self.at : found.start()]
        self.at = found.end()
        return Literal(text)

    def _end_length(self, end: re.Pattern[str]) -> int:
        found = end.search(self.text, self.at)
        if found is None:
            raise SyntaxProblem('The string is missing the terminator: "@.')
        return found.end() - found.start()
