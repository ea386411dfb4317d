"""The documentation: every link leads somewhere, every page can be reached, the reference is today's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli.reference import reference

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def _links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", page.read_text()))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_of_a_page_leads_to_something_that_is_there(page: Path) -> None:
    broken = []
    for link in _links(page):
        place, _, anchor = link.partition("#")
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        there = (page.parent / place).resolve() if place else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in _anchors(there)):
            broken.append(link)
    assert broken == []


def test_the_navigation_names_pages_that_exist_and_no_font_of_strangers() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    named = list(_named(site["nav"]))
    assert [name for name in named if not (DOCS / name).is_file()] == []
    assert len(named) == len(set(named))
    assert site["theme"]["font"] is False


def _named(entries: list[object]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, dict):
            for value in entry.values():
                yield from _named(value)
        else:
            yield str(entry)


def test_the_reference_of_commands_is_what_the_commands_say() -> None:
    assert (DOCS / "cli.md").read_text() == reference()
