"""What makes a test fail on a busy machine, or beside another one, is not written in the first place."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.eventually import PATIENCE
from tests.support.processes import ROOT

TESTS = ROOT / "tests"
MEASURING = TESTS / "load"
"""Its subject is time."""
OWNERS = {"ports.py", "eventually.py"}
WHOLE_TEST = 180
FOR_EVER = 30
"""Who sleeps that long does not wait for something: it stands for what never ends."""

Finding = tuple[int, str]


def _number(node: ast.expr | None) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    return None


def _given(call: ast.Call, place: int | str) -> ast.expr | None:
    """What is given in this place, or under this name."""
    if isinstance(place, int):
        return call.args[place] if len(call.args) > place else None
    return next((keyword.value for keyword in call.keywords if keyword.arg == place), None)


def _shorter(call: ast.Call, place: int | str, least: float = PATIENCE) -> bool:
    seconds = _number(_given(call, place))
    return seconds is not None and seconds < least


def _impatient(call: ast.Call) -> bool:
    return _given(call, "timeout") is None or _shorter(call, "timeout")


def _guesses(call: ast.Call) -> bool:
    return 0 < (_number(_given(call, 0)) or 0) < FOR_EVER


BOUND = "a busy machine reaches this bound; take PATIENCE"
RULES: dict[str, tuple[Callable[[ast.Call], bool], str]] = {
    "time.sleep": (lambda _: True, "wait with `eventually` for what you wait for"),
    "asyncio.sleep": (_guesses, "wait with `eventually` for what you wait for"),
    "eventually": (lambda c: _shorter(c, "within"), "leave `within` out, or name the promise it stands for"),
    "asyncio.timeout": (lambda c: _shorter(c, 0), BOUND),
    "asyncio.wait_for": (lambda c: _shorter(c, 1), BOUND),
    "subprocess.run": (lambda c: _shorter(c, "timeout"), BOUND),
    "httpx2.AsyncClient": (_impatient, "it gives up after 5 s unless told otherwise; take PATIENCE"),
    "httpx2.Client": (_impatient, "it gives up after 5 s unless told otherwise; take PATIENCE"),
    "pytest.mark.timeout": (lambda c: _shorter(c, 0, WHOLE_TEST), f"every test has {WHOLE_TEST} s"),
}
OWN_PORT = "what is free now may not be in a moment; take `free_port` of tests.support.ports"


def _fault(call: ast.Call, *, in_loop: bool) -> str | None:
    name = ast.unparse(call.func)
    if name == "asyncio.sleep" and in_loop:
        return None
    if name.endswith(".bind") and call.args and ast.unparse(call.args[0]).endswith(", 0)"):
        return OWN_PORT
    wrong, words = RULES.get(name, (lambda _: False, ""))
    return words if wrong(call) else None


def _findings(tree: ast.AST, *, in_loop: bool = False) -> Iterator[Finding]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and (fault := _fault(node, in_loop=in_loop)):
            yield node.lineno, fault
        inside = isinstance(node, ast.While | ast.For | ast.AsyncFor) or (
            in_loop and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        yield from _findings(node, in_loop=inside)


def _files() -> list[Path]:
    return [
        file
        for file in sorted(TESTS.rglob("*.py"))
        if not file.is_relative_to(MEASURING) and file.name not in OWNERS and file != Path(__file__)
    ]


def test_no_test_guesses_how_long_something_takes_or_which_port_is_free() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {fault}"
        for file in _files()
        for line, fault in _findings(ast.parse(file.read_text()))
    ]

    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "time.sleep(1)",
        "async def test() -> None:\n    await asyncio.sleep(0.5)",
        "while True:\n    async def late() -> None:\n        await asyncio.sleep(0.5)",
        "await eventually(lambda: x, within=5)",
        "async with asyncio.timeout(10): ...",
        "await asyncio.wait_for(work(), 20)",
        "pytestmark = pytest.mark.timeout(60)",
        "httpx2.AsyncClient(base_url=url)",
        "httpx2.Client(timeout=5)",
        "subprocess.run(['x'], timeout=30)",
        "probe.bind(('127.0.0.1', 0))",
    ],
)
def test_each_of_these_would_be_found(text: str) -> None:
    assert [line for line, _ in _findings(ast.parse(text))]


@pytest.mark.parametrize(
    "text",
    [
        "await asyncio.sleep(0)",
        "await asyncio.sleep(600)",
        "while not done:\n    await asyncio.sleep(0.1)",
        "await eventually(lambda: x)",
        "await eventually(lambda: x, within=3 * LEASE_SECONDS)",
        "httpx2.AsyncClient(transport=here, timeout=PATIENCE)",
    ],
)
def test_what_waits_for_something_is_left_alone(text: str) -> None:
    assert not list(_findings(ast.parse(text)))
