"""The syntax tree of the simulated PowerShell."""

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Literal:
    value: object


@dataclass(frozen=True, slots=True)
class Expandable:
    """A double-quoted string or a bare word: text and expressions in turn."""

    parts: tuple[Union[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """Statements: a whole script, `$( )`, `@( )` or the inside of braces."""

    statements: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class Sub:
    """`$( )`, `( )` and `@( )`; `always_list` for the last."""

    block: Block
    always_list: bool = False


@dataclass(frozen=True, slots=True)
class ScriptBlock:
    block: Block


@dataclass(frozen=True, slots=True)
class TypeName:
    name: str


@dataclass(frozen=True, slots=True)
class Cast:
    type: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Items:
    """`a, b, c`"""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`object.name`, `[Type]::name`; a call when `arguments` is not None."""

    target: "Node"
    name: str
    static: bool
    arguments: tuple["Node", ...] | None = None


@dataclass(frozen=True, slots=True)
class Index:
    target: "Node"
    index: "Node"


Node = (
    Literal
    | Expandable
    | Variable
    | Sub
    | ScriptBlock
    | TypeName
    | Cast
    | Unary
    | Binary
    | Items
    | Member
    | Index
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`-Name`, or `-Name:value`"""

    name: str
    value: Node | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command with its arguments; `quiet` names redirected streams: `1`, `2`, `*`."""

    name: Node
    arguments: tuple[Node | Parameter, ...]
    quiet: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    elements: tuple[Node | Invocation, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    target: Variable
    operator: str
    value: "Statement"


@dataclass(frozen=True, slots=True)
class If:
    clauses: tuple[tuple[Pipeline, Block], ...]
    otherwise: Block | None


@dataclass(frozen=True, slots=True)
class While:
    condition: Pipeline
    body: Block


@dataclass(frozen=True, slots=True)
class ForEach:
    variable: str
    items: Pipeline
    body: Block


@dataclass(frozen=True, slots=True)
class Jump:
    """`throw`, `exit` or `return`, with its value."""

    kind: str
    value: Pipeline | None


@dataclass(frozen=True, slots=True)
class Try:
    body: Block
    handler: Block | None
    cleanup: Block | None


Statement = Pipeline | Assignment | If | While | ForEach | Jump | Try
