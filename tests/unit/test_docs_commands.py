"""What pages, hints and screens tell people to type exists: commands, their options, `make` targets."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli.__main__ import COMMANDS, app

ROOT = Path(__file__).resolve().parents[2]
TOP = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "web" / "README.md")
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = ("cli", "gateway", "workers", "contracts", "infra")
SOURCES = [
    *(path for room in ROOMS for path in (ROOT / room).rglob("*.py")),
    *(path for path in (ROOT / "web" / "src").rglob("*.ts*") if ".test." not in path.name),
]
_OFFERED = re.compile(r"[\"'`: ]opsconductor ([a-z]+(?: [^\"\n]*)?)")
_SAID = re.compile(r"(?<![\w/.-])opsconductor ((?:[a-z]+)(?: [^`\n]*)?)")
_ENDS = {"|", "||", "&&", ";", ">", ">>", "<", "#", "\\", "2>&1", "and", "or"}
GLOBAL_OPTIONS = {"-h", "--help", "--version"}


def _group() -> Any:
    return typer.main.get_command(app)


def words_of(said: str) -> list[str]:
    """The words of one command: to a sign of the shell, a comment, or the end of a sentence."""
    text = re.split(r" {2,}|[)\]}<…`]|\. |, |: |\$\(", said, maxsplit=1)[0].rstrip(".,:;'\"")
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.split()
    end = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
    return words[:end]


def wrong_with(words: list[str]) -> str | None:
    """Why this cannot be typed; None when it can, as far as names of commands and options go."""
    command, told = _group(), ["opsconductor"]
    rest = list(words)
    while hasattr(command, "get_command") and rest and not rest[0].startswith("-"):
        found = command.get_command(None, rest[0])
        if found is None:
            return None if "|" in rest[0] else f"there is no `{' '.join([*told, rest[0]])}`"
        command, told = found, [*told, rest.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = [word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word) and "|" not in word]
    missing = [option for option in options if option not in known | GLOBAL_OPTIONS]
    return f"`{' '.join(told)}` has no {missing[0]}" if missing else None


def _code(page: Path) -> str:
    """Blocks and inline code of a page, a line each."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*blocks, *inline])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    said = [one for one in _SAID.findall(_code(page).replace("\\\n", " ")) if words_of(one)]

    assert [(one, why) for one in said if (why := wrong_with(words_of(one)))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_of_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z]+)", _code(page))) <= targets


def test_hints_and_screens_offer_commands_that_exist() -> None:
    offered = (
        (path, said)
        for path in SOURCES
        for said in _OFFERED.findall(path.read_text(encoding="utf-8"))
        if said.split()[0] in COMMANDS
    )
    wrong = [
        (str(path.relative_to(ROOT)), said, why)
        for path, said in offered
        if (why := wrong_with(words_of(said)))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("credentials create", "there is no `opsconductor credentials create`"),
        ("runs list --stat failed", "`opsconductor runs list` has no --stat"),
        ("login --url https://ops.example.org # as admin", None),
        ("export jobs --name x > job.yaml", None),
        ("worker orchestrator executor", None),
    ],
)
def test_a_command_that_is_none_is_found(said: str, why: str | None) -> None:
    assert wrong_with(words_of(said)) == why
