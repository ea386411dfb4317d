"""Expressions of the simulated PowerShell (about_Operator_Precedence)."""

import re

from infra.sandbox.windows.powershell.reader import BLANKS_AND_LINES, DOUBLE, SINGLE, Reader, SyntaxProblem
from infra.sandbox.windows.powershell.syntax import (
    Binary,
    Cast,
    Index,
    Items,
    Literal,
    Member,
    Node,
    ScriptBlock,
    Sub,
    TypeName,
    Unary,
)

LEVELS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"-(?:and|or|xor)\b",
        r"-[ci]?(?:eq|ne|gt|lt|ge|le|like|notlike|match|notmatch|contains|in|replace|split|join)\b",
        r"[+-](?![=a-z])",
        r"[*/%](?!=)",
        r"-f\b",
        r"\.\.",
    )
)
NUMBER = re.compile(r"0x([0-9a-f]+)|(\d+\.\d+(?:e[-+]?\d+)?)|(\d+)(kb|mb|gb)?", re.IGNORECASE)
TYPE = re.compile(r"\[([A-Za-z][\w.]*(?:\[\])?)\]")
NAME = re.compile(r"[A-Za-z_]\w*")
UNITS = {"": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}


class ExpressionParser(Reader):
    """One precedence level after the other, the loosest first."""

    def expression(self, level: int = 0, *, lists: bool = True) -> Node:
        """`lists` False: a comma ends the expression, as between the arguments of a method."""
        if level == len(LEVELS):
            return self._items() if lists else self._unary()
        left = self.expression(level + 1, lists=lists)
        while True:
            start = self.at
            self.skip()
            operator = self.match(LEVELS[level])
            if operator is None:
                self.at = start
                return left
            self.skip(BLANKS_AND_LINES)
            left = Binary(operator[0].lower(), left, self.expression(level + 1, lists=lists))

    def _items(self) -> Node:
        items = [self._unary()]
        while self.match(re.compile(r"[ \t]*,\s*")):
            items.append(self._unary())
        return items[0] if len(items) == 1 else Items(tuple(items))

    def _unary(self) -> Node:
        operator = self.match(re.compile(r"!|-not\b|-join\b|[-+](?=[\d.$(])", re.IGNORECASE))
        if operator is not None:
            self.skip()
            return Unary(operator[0].lower(), self._unary())
        cast = TYPE.match(self.text, self.at)
        if cast is not None and not self.text.startswith("::", cast.end()):
            self.at = cast.end()
            self.skip()
            return Cast(cast[1].lower(), self._unary())
        return self.postfix(self.primary())

    def primary(self) -> Node:
        char = self.peek()
        here_string = char == "@" and self.peek(1) in {"'", '"'}
        if char and (char in SINGLE + DOUBLE or here_string):
            return self.string()
        if char == "$":
            variable = self.variable()
            if variable is not None:
                return variable
        if char == "(" or self.text.startswith("@(", self.at):
            return self._parenthesis()
        if char == "{":
            self.at += 1
            block = self.read_block("}")
            self.need("}")
            return ScriptBlock(block)
        number = self.match(NUMBER)
        if number is not None:
            return Literal(_number(number))
        type_name = self.match(TYPE)
        if type_name is not None:
            return TypeName(type_name[1].lower())
        raise SyntaxProblem(f"Unexpected token '{char}' in expression or statement.")

    def _parenthesis(self) -> Node:
        always_list = self.take("@")
        self.need("(")
        block = self.read_block(")")
        self.need(")")
        return Sub(block, always_list)

    def postfix(self, target: Node) -> Node:
        while True:
            static = self.text.startswith("::", self.at)
            if static or (self.peek() == "." and NAME.match(self.text, self.at + 1)):
                self.at += 2 if static else 1
                target = self._member(target, static=static)
            elif self.peek() == "[" and not isinstance(target, TypeName):
                self.at += 1
                target = Index(target, self.expression())
                self.need("]")
            else:
                return target

    def _member(self, target: Node, *, static: bool) -> Node:
        name = self.match(NAME)
        if name is None:
            raise SyntaxProblem("Missing property name after reference operator.")
        if not self.take("("):
            return Member(target, name[0].lower(), static)
        arguments: list[Node] = []
        self.skip(BLANKS_AND_LINES)
        while not self.take(")"):
            arguments.append(self.expression(lists=False))
            self.skip(BLANKS_AND_LINES)
            if not self.take(","):
                self.need(")")
                break
            self.skip(BLANKS_AND_LINES)
        return Member(target, name[0].lower(), static, tuple(arguments))


def _number(match: re.Match[str]) -> int | float:
    if match[1]:
        return int(match[1], 16)
    if match[2]:
        return float(match[2])
    return int(match[3]) * UNITS[(match[4] or "").lower()]
