"""Statements and pipelines of the simulated PowerShell. What it does not know is a SyntaxProblem."""

import re

from infra.sandbox.windows.powershell.expressions import ExpressionParser
from infra.sandbox.windows.powershell.reader import (
    BETWEEN_STATEMENTS,
    BLANKS_AND_LINES,
    DOUBLE,
    SINGLE,
    SyntaxProblem,
)
from infra.sandbox.windows.powershell.syntax import (
    Assignment,
    Block,
    Expandable,
    ForEach,
    If,
    Invocation,
    Items,
    Jump,
    Literal,
    Node,
    Parameter,
    Pipeline,
    Statement,
    Try,
    Variable,
    While,
)

KEYWORD = re.compile(r"(if|while|foreach|throw|exit|return|try)(?![\w-])", re.IGNORECASE)
WORD_END = set(" \t\r\n;|(){},&<>")
EXPRESSION_START = re.compile(r"[$@(\[{0-9!" + SINGLE + DOUBLE + r"]|[-+][\d.$(]|-not\b", re.IGNORECASE)
PARAMETER = re.compile(r"-([A-Za-z]\w*)(:?)")
REDIRECTION = re.compile(r"([12*]?)>{1,2}(?:&1|[ \t]*(\$null|nul))", re.IGNORECASE)
NUMBER_WORD = re.compile(r"-?\d+$")
ASSIGN = re.compile(r"[ \t]*([-+*/]?=)(?!=)")
FOREACH_HEAD = re.compile(r"\(\s*\$(\w+)\s+in\b", re.IGNORECASE)


def parse(text: str) -> Block:
    """The whole script. Raises SyntaxProblem."""
    parser = Parser(text)
    block = parser.read_block("")
    if parser.at < len(text):
        raise SyntaxProblem(f"Unexpected token '{text[parser.at]}' in expression or statement.")
    return block


class Parser(ExpressionParser):
    """Statements on top of expressions."""

    def read_block(self, end: str) -> Block:
        statements: list[Statement] = []
        self.skip(BETWEEN_STATEMENTS)
        while self.at < len(self.text) and self.peek() not in {")", "}"}:
            statements.append(self._statement())
            self.skip()
            if self.at < len(self.text) and self.peek() not in ";\r\n#" + end:
                raise SyntaxProblem(f"Unexpected token '{self.peek()}' in expression or statement.")
            self.skip(BETWEEN_STATEMENTS)
        return Block(tuple(statements))

    def _braces(self) -> Block:
        self.skip(BLANKS_AND_LINES)
        self.need("{")
        block = self.read_block("}")
        self.need("}")
        return block

    def _statement(self) -> Statement:
        keyword = self.match(KEYWORD)
        if keyword is None:
            return self._assignment_or_pipeline()
        word = keyword[1].lower()
        self.skip()
        if word in {"throw", "exit", "return"}:
            bare = self.at >= len(self.text) or self.peek() in ";\r\n})#"
            return Jump(word, None if bare else self.pipeline())
        if word == "if":
            return self._if()
        if word == "while":
            return While(self._condition(), self._braces())
        return self._foreach() if word == "foreach" else self._try()

    def _condition(self) -> Pipeline:
        self.skip()
        self.need("(")
        self.skip(BLANKS_AND_LINES)
        condition = self.pipeline()
        self.skip(BLANKS_AND_LINES)
        self.need(")")
        return condition

    def _if(self) -> If:
        clauses = [(self._condition(), self._braces())]
        otherwise = None
        while self._follows("elseif"):
            clauses.append((self._condition(), self._braces()))
        if self._follows("else"):
            otherwise = self._braces()
        return If(tuple(clauses), otherwise)

    def _follows(self, word: str) -> bool:
        return self.match(re.compile(rf"[\s]*{word}(?![\w-])", re.IGNORECASE)) is not None

    def _foreach(self) -> ForEach:
        head = self.match(FOREACH_HEAD)
        if head is None:
            raise SyntaxProblem("Missing variable name after foreach.")
        self.skip()
        items = self.pipeline()
        self.skip()
        self.need(")")
        return ForEach(head[1].lower(), items, self._braces())

    def _try(self) -> Try:
        body = self._braces()
        handler = self._braces() if self._follows("catch") else None
        cleanup = self._braces() if self._follows("finally") else None
        if handler is None and cleanup is None:
            raise SyntaxProblem("The Try statement is missing its Catch or Finally block.")
        return Try(body, handler, cleanup)

    def _assignment_or_pipeline(self) -> Statement:
        start = self.at
        target = self.variable() if self.peek() == "$" else None
        operator = self.match(ASSIGN) if isinstance(target, Variable) else None
        if isinstance(target, Variable) and operator is not None:
            self.skip(BLANKS_AND_LINES)
            return Assignment(target, operator[1], self._statement())
        self.at = start
        return self.pipeline()

    # -- pipelines

    def pipeline(self) -> Pipeline:
        elements: list[Node | Invocation] = [self._element()]
        while True:
            self.skip()
            if self.peek() != "|" or self.peek(1) == "|":
                return Pipeline(tuple(elements))
            self.at += 1
            self.skip(BLANKS_AND_LINES)
            elements.append(self._element())

    def _element(self) -> Node | Invocation:
        start = self.at
        if self.peek() in {"&", "."} and self.peek(1) in {" ", "{", "$", "(", '"', "'"}:
            self.at += 1
            self.skip()
            return self._invocation(self.primary(), start)
        if EXPRESSION_START.match(self.text, self.at):
            return self.expression()
        name = self._word()
        if name == Expandable(()):
            raise SyntaxProblem(f"Unexpected token '{self.peek()}' in expression or statement.")
        return self._invocation(name, start)

    def _invocation(self, name: Node, start: int) -> Invocation:
        arguments: list[Node | Parameter] = []
        quiet: set[str] = set()
        while True:
            self.skip()
            redirection = self.match(REDIRECTION)
            if redirection is not None:
                quiet |= {redirection[1] or "1"} if redirection[2] else set()
            elif self.at >= len(self.text) or self.peek() in ";|\r\n)}#":
                return Invocation(name, tuple(arguments), frozenset(quiet), self.text[start : self.at])
            else:
                arguments.append(self._argument())

    def _argument(self) -> Node | Parameter:
        match = self.match(PARAMETER)
        if match is not None:
            if not match[2]:
                return Parameter(match[1].lower())
            self.skip()
            return Parameter(match[1].lower(), self._one_argument())
        first = self._one_argument()
        items = [first]
        while self.match(re.compile(r"[ \t]*,\s*")):
            items.append(self._one_argument())
        return first if len(items) == 1 else Items(tuple(items))

    def _one_argument(self) -> Node:
        if self.peek() in {"(", "{"} or self.text.startswith("@(", self.at):
            return self.postfix(self.primary())
        if self.peek() and self.peek() in SINGLE + DOUBLE:
            value = self.postfix(self.primary())
            return value if not self.peek() or self.peek() in WORD_END else self._word(value)
        if self.peek() == "$":
            start = self.at
            value = self.postfix(self.primary())
            if not self.peek() or self.peek() in WORD_END:
                return value
            self.at = start
        return self._word()

    def _word(self, begin: Node | None = None) -> Node:
        """A bare word: text up to a blank or an operator, variables and quoted parts expanded."""
        parts: list[str | Node] = [] if begin is None else [begin]
        while self.at < len(self.text) and self.peek() not in WORD_END:
            char = self.peek()
            if char == "`":
                parts.append(self.escape())
            elif char in SINGLE + DOUBLE:
                parts.append(self.string())
            elif char == "$" and (expression := self.variable()) is not None:
                parts.append(expression)
            else:
                parts.append(char)
                self.at += 1
        plain = "".join(part for part in parts if isinstance(part, str))
        if len(plain) == len(parts) and NUMBER_WORD.match(plain):
            return Literal(int(plain))
        if not parts and self.peek() and self.peek() not in "\r\n":
            raise SyntaxProblem(f"Unexpected token '{self.peek()}' in expression or statement.")
        return Expandable(tuple(parts))
