"""Runs the syntax tree of a script: one session of the simulated PowerShell."""

from collections.abc import Awaitable, Callable

from infra.sandbox.windows.clixml import ErrorStream
from infra.sandbox.windows.powershell import cmdlets, members, operators, values
from infra.sandbox.windows.powershell.parser import parse
from infra.sandbox.windows.powershell.reader import SyntaxProblem
from infra.sandbox.windows.powershell.syntax import (
    Assignment,
    Binary,
    Block,
    Cast,
    Expandable,
    ForEach,
    If,
    Index,
    Invocation,
    Items,
    Jump,
    Literal,
    Member,
    Node,
    Pipeline,
    ScriptBlock,
    Statement,
    Sub,
    Try,
    TypeName,
    Unary,
    Variable,
    While,
)
from infra.sandbox.windows.powershell.values import PowerShellError, as_list, text, truth
from infra.sandbox.windows.services import Service
from infra.sandbox.windows.system import System

Emit = Callable[[object], Awaitable[None]]
VERSION_TABLE = {
    "PSVersion": "5.1.0.0",
    "PSEdition": "Desktop (simulated)",
    "Host": "SIMULATED-WIN: a simulation, not Windows",
}


class Exit(Exception):
    """`exit N`"""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Return(Exception):
    """`return`; what it returns was emitted before."""


class Session:
    """Variables, `$?` and `$LASTEXITCODE` of one powershell.exe."""

    def __init__(self, system: System, errors: ErrorStream) -> None:
        self.system = system
        self.errors = errors
        self.ok = True
        self._in_table = False
        self.variables: dict[str, object] = {
            "true": True,
            "false": False,
            "null": None,
            "psversiontable": VERSION_TABLE,
            "erroractionpreference": "Continue",
            "lastexitcode": None,
            "pid": 4242,
        }

    async def run(self, script: str) -> int:
        """The exit code of the script: `exit N`, 1 after an uncaught error, or the last program's."""
        try:
            block = parse(script)
        except SyntaxProblem as problem:
            await self.report(str(problem), "ParserError", "", line=1)
            return 1
        try:
            for statement in block.statements:
                await self.statement(statement, self.print)
        except Exit as end:
            return end.code
        except Return:
            return 0
        except PowerShellError as error:
            await self.report(error.message, error.kind, error.message)
            return 1
        code = self.variables["lastexitcode"]
        return code if isinstance(code, int) and code else int(not self.ok)

    async def print(self, value: object) -> None:
        """What happens to objects that reach the end of the pipeline."""
        shown = values.display(value, first_of_table=not self._in_table)
        self._in_table = isinstance(value, Service)
        await self.system.write("stdout", shown.encode())

    async def report(self, message: str, kind: str, source: str, *, line: int = 1) -> None:
        """Print an error as PowerShell does; `$?` becomes false."""
        self.ok = False
        head = source.split("\n", maxsplit=1)[0][:60] or "script"
        await self.errors.lines(
            f"{message}\nAt line:{line} char:1\n+ {head}\n+ {'~' * len(head)}\n"
            f"    + CategoryInfo          : {cmdlets.category(kind)}, {kind}\n"
            f"    + FullyQualifiedErrorId : {kind}\n "
        )

    async def fail(self, message: str, kind: str, source: str) -> None:
        """A non-terminating error, unless $ErrorActionPreference is Stop."""
        preference = text(self.variables["erroractionpreference"]).lower()
        if preference == "stop":
            raise PowerShellError(message, kind=kind)
        self.ok = False
        if preference not in {"silentlycontinue", "ignore"}:
            await self.report(message, kind, source)

    # -- statements

    async def block(self, block: Block, emit: Emit) -> None:
        for statement in block.statements:
            await self.statement(statement, emit)

    async def statement(self, statement: Statement, emit: Emit) -> None:
        match statement:
            case Pipeline():
                await self.pipeline(statement, emit)
            case Assignment():
                await self._assign(statement)
            case If():
                await self._if(statement, emit)
            case While():
                while truth(await self.value(statement.condition)):
                    await self.block(statement.body, emit)
            case ForEach():
                for item in as_list(await self.value(statement.items)):
                    self.variables[statement.variable] = item
                    await self.block(statement.body, emit)
            case Jump():
                await self._jump(statement, emit)
            case Try():
                await self._try(statement, emit)

    async def _if(self, statement: If, emit: Emit) -> None:
        for condition, body in statement.clauses:
            if truth(await self.value(condition)):
                await self.block(body, emit)
                return
        if statement.otherwise is not None:
            await self.block(statement.otherwise, emit)

    async def _jump(self, jump: Jump, emit: Emit) -> None:
        value = await self.value(jump.value) if jump.value is not None else None
        if jump.kind == "exit":
            raise Exit(int(values.number(value)))
        if jump.kind == "throw":
            raise PowerShellError(text(value) or "ScriptHalted", kind=text(value) or "ScriptHalted")
        for item in as_list(value):
            await emit(item)
        raise Return

    async def _try(self, statement: Try, emit: Emit) -> None:
        try:
            await self.block(statement.body, emit)
        except PowerShellError as error:
            if statement.handler is None:
                raise
            self.variables["_"] = error.message
            await self.block(statement.handler, emit)
        finally:
            if statement.cleanup is not None:
                await self.block(statement.cleanup, emit)

    async def _assign(self, assignment: Assignment) -> None:
        value = await self.value(assignment.value)
        if assignment.operator != "=":
            value = operators.binary(assignment.operator[0], self.lookup(assignment.target.name), value)
        name = assignment.target.name
        scope, colon, rest = name.partition(":")
        if scope == "env" and colon:
            self.system.environment[rest.upper()] = text(value)
        else:
            self.variables[rest if colon else name] = value
        self.ok = True

    async def value(self, statement: Statement) -> object:
        """What a statement leaves behind: nothing, one object, or a list."""
        if isinstance(statement, Pipeline) and len(statement.elements) == 1:
            only = statement.elements[0]
            if not isinstance(only, Invocation):
                return await self.evaluate(only)
        found: list[object] = []

        async def keep(item: object) -> None:
            found.append(item)

        await self.statement(statement, keep)
        return found[0] if len(found) == 1 else (found or None)

    async def value_of_block(self, block: Block) -> object:
        return await self._sub(Sub(block))

    # -- pipelines

    async def pipeline(self, pipeline: Pipeline, emit: Emit) -> None:
        stages = [emit]
        for element in reversed(pipeline.elements[1:]):
            stages.insert(0, await cmdlets.stage(self, element, stages[0]))
        first, into = pipeline.elements[0], stages[0]
        if isinstance(first, Invocation):
            await cmdlets.invoke(self, first, into)
            return
        value = await self.evaluate(first)
        for item in as_list(value):
            await into(item)
        self.ok = True

    # -- expressions

    def lookup(self, name: str) -> object:
        scope, colon, rest = name.partition(":")
        if colon and scope == "env":
            return self.system.environment.get(rest.upper())
        return self.ok if name == "?" else self.variables.get(rest if colon else name)

    async def evaluate(self, node: Node) -> object:  # noqa: PLR0911  (one case for each kind of node)
        match node:
            case Literal():
                return node.value
            case Expandable():
                parts = [
                    part if isinstance(part, str) else text(await self.evaluate(part)) for part in node.parts
                ]
                return "".join(parts)
            case Variable():
                return self.lookup(node.name)
            case Sub():
                return await self._sub(node)
            case ScriptBlock():
                return node
            case TypeName():
                return f"[{node.name}]"
            case Cast():
                return values.cast(node.type, await self.evaluate(node.operand))
            case Unary():
                return operators.UNARY[node.operator](await self.evaluate(node.operand))
            case Binary():
                left, right = await self.evaluate(node.left), await self.evaluate(node.right)
                return operators.binary(node.operator, left, right)
            case Items():
                return [await self.evaluate(item) for item in node.items]
            case Member():
                return await self._member(node)
            case Index():
                return await self._index(node)

    async def _sub(self, node: Sub) -> object:
        found: list[object] = []

        async def keep(item: object) -> None:
            found.append(item)

        only = node.block.statements[0] if len(node.block.statements) == 1 else None
        if only is not None and not node.always_list:
            return await self.value(only)
        await self.block(node.block, keep)
        return found if node.always_list or len(found) != 1 else found[0]

    async def _member(self, node: Member) -> object:
        given = None if node.arguments is None else [await self.evaluate(one) for one in node.arguments]
        if node.static and isinstance(node.target, TypeName):
            return await members.static(node.target.name, node.name, given, self.system)
        target = await self.evaluate(node.target)
        if given is None:
            return members.property_of(target, node.name)
        if target is None:
            raise PowerShellError(
                "You cannot call a method on a null-valued expression.", kind="InvokeMethodOnNull"
            )
        return await members.call(target, node.name, given, self.system.write)

    async def _index(self, node: Index) -> object:
        target, index = await self.evaluate(node.target), await self.evaluate(node.index)
        if isinstance(target, dict):
            return target.get(text(index))
        at = int(values.number(index))
        items = target if isinstance(target, str | bytes) else as_list(target)
        return items[at] if -len(items) <= at < len(items) else None
