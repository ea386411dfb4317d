"""Which tests provoke which causes, read from their marks without running them.

`@pytest.mark.provokes("quota")` on a test says that it brings the cause about and asserts it. A mark
counts only among tests that act on real protocols or simulated hosts, and only where an assertion of the test
compares something with the code: as it stands, or with a parameter whose values hold the code.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
KINDS = ("executors", "integration", "disruption", "e2e")
"""Folders whose tests act on something real."""


Test = ast.AsyncFunctionDef | ast.FunctionDef


@dataclass(frozen=True, slots=True)
class Provocation:
    """One test, and the codes it says it provokes. `where` is how pytest names the test."""

    where: str
    codes: tuple[str, ...]
    asserted: frozenset[str]
    kind: str


def provocations(folder: Path = TESTS) -> list[Provocation]:
    """Every marked test below the folder."""
    return [found for path in sorted(folder.rglob("*.py")) for found in _of_file(path, folder)]


def _of_file(path: Path, folder: Path) -> Iterator[Provocation]:
    tests = [
        found for found in _tests_in(ast.parse(path.read_text(encoding="utf-8"))) if _is_marked(found[1])
    ]
    if not tests:
        return
    relative = path.relative_to(folder.parent)
    module = importlib.import_module(".".join(relative.with_suffix("").parts))
    for owner, function in tests:
        test = getattr(getattr(module, owner) if owner else module, function.name)
        marks = getattr(test, "pytestmark", [])
        codes = [code for mark in marks if mark.name == "provokes" for code in mark.args]
        yield Provocation(
            where="::".join(filter(None, (str(relative), owner, function.name))),
            codes=tuple(codes),
            asserted=frozenset(code for code in codes if _is_asserted(code, function, marks)),
            kind=relative.parts[1],
        )


def _is_marked(test: Test) -> bool:
    return any("mark.provokes(" in ast.unparse(decorator) for decorator in test.decorator_list)


def _tests_in(module: ast.Module) -> Iterator[tuple[str, Test]]:
    classes = [(node.name, node.body) for node in module.body if isinstance(node, ast.ClassDef)]
    for owner, body in [("", module.body), *classes]:
        for node in body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_"):
                yield owner, node


def _is_asserted(code: str, function: Test, marks: list[Any]) -> bool:
    compared = list(_compared(function))
    if any(isinstance(node, ast.Constant) and node.value == code for node in compared):
        return True
    names = {node.id for node in compared if isinstance(node, ast.Name)}
    given = _parameters(marks)
    return any(_holds(value, code) for name in names & given.keys() for value in given[name])


def _compared(function: Test) -> Iterator[ast.AST]:
    """Everything that stands in a comparison for equality or membership in an `assert` of the test."""
    for statement in ast.walk(function):
        if isinstance(statement, ast.Assert):
            for comparison in ast.walk(statement.test):
                if isinstance(comparison, ast.Compare) and _claims(comparison):
                    yield from ast.walk(comparison)


def _claims(comparison: ast.Compare) -> bool:
    return all(isinstance(operator, ast.Eq | ast.In) for operator in comparison.ops)


def _parameters(marks: list[Any]) -> Mapping[str, list[Any]]:
    """What each parameter of the test is given, in all its rows."""
    given: dict[str, list[Any]] = {}
    for mark in marks:
        if mark.name == "parametrize":
            names, rows = mark.args[:2]
            names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
            for row in rows:
                values = getattr(row, "values", row) if not isinstance(row, dict) else row
                values = [row] if len(names) == 1 and values is row else values
                for name, value in zip(names, values, strict=True):
                    given.setdefault(name, []).append(value)
    return given


def _holds(value: Any, code: str) -> bool:
    if isinstance(value, tuple | list | set):
        return any(_holds(one, code) for one in value)
    return code in (value, getattr(value, "code", None))
