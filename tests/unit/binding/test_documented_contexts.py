"""Every row of the tables in docs/parameters.md holds: what a placeholder becomes, what is refused, why."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from contracts.binding import (
    ParameterValue,
    Refusal,
    check_cmd,
    check_powershell,
    check_sh,
    render_cmd,
    render_powershell,
    render_sh,
)

PAGE = Path(__file__).parents[3] / "docs" / "parameters.md"
NAME = {"name": "value"}

Check = Callable[[str, Collection[str]], tuple[Refusal, ...]]
CHECKS: dict[str, Check] = {"sh": check_sh, "PowerShell": check_powershell, "cmd": check_cmd}


def rendered(shell: str, script: str) -> str:
    values: dict[str, ParameterValue] = dict(NAME)
    if shell == "sh":
        return render_sh(script, values).removeprefix("OPS_name='value'\nexport OPS_name\n")
    if shell == "cmd":
        return render_cmd(script, values).script
    return re.sub(r"^\$\{ops_name\} = .*?\)\); ", "", render_powershell(script, values))


def cells(line: str) -> list[str]:
    raw = re.split(r"(?<!\\)\|", line.strip().strip("|").replace("\\|", "\\|"))
    return [cell.strip().replace("\\|", "|") for cell in raw]


def code(cell: str) -> str:
    text = cell[3:-3] if cell.startswith("`` ") else cell.strip("`")
    return text.replace("⏎", "\n")


def rows(width: int) -> list[tuple[str, ...]]:
    found, shell = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            shell = line[3:]
        elif line.startswith("| `") and len(cells(line)) == width:
            found.append((shell, *cells(line)))
    return found


ALLOWED, REFUSED = rows(2), rows(3)


def test_every_shell_has_its_tables() -> None:
    assert {row[0] for row in ALLOWED} == {row[0] for row in REFUSED} == set(CHECKS)
    assert len(ALLOWED) > 40
    assert len(REFUSED) > 80


@pytest.mark.parametrize(("shell", "script", "becomes"), ALLOWED)
def test_an_allowed_row_becomes_what_the_page_says(shell: str, script: str, becomes: str) -> None:
    assert CHECKS[shell](code(script), NAME) == ()
    assert rendered(shell, code(script)) == code(becomes)


@pytest.mark.parametrize(("shell", "script", "why", "instead"), REFUSED)
def test_a_refused_row_is_refused_for_the_reason_given_and_its_other_spelling_is_not(
    shell: str, script: str, why: str, instead: str
) -> None:
    refusals = CHECKS[shell](code(script), NAME)

    assert refusals[0].reason == why
    assert refusals[0].suggestion
    line = code(script).splitlines()[refusals[0].line - 1]
    assert line.startswith("{{", refusals[0].column - 1)
    assert CHECKS[shell](code(instead), NAME) == ()
