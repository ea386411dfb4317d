"""The documentation: every link leads somewhere, every page can be reached, the reference is today's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml

from cli.reference import reference
from contracts.jobs.parameters import Parameter, resolve
from gateway.jobs.checks import check_definition

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OUTSIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "web" / "README.md"]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def _links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", page.read_text()))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES + OUTSIDE, ids=lambda page: str(page.relative_to(ROOT)))
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


def test_every_page_can_be_reached_from_the_navigation_and_none_leads_out_of_the_site() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    reached: set[Path] = set()
    waiting = [DOCS / name for name in _named(site["nav"])]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        places = [link.partition("#")[0] for link in _links(page) if "://" not in link]
        found = [(page.parent / place).resolve() for place in places if place]
        assert [str(there) for there in found if not there.is_relative_to(DOCS)] == []
        folders = [there / "README.md" if there.is_dir() else there for there in found]
        waiting += [there for there in folders if there.suffix == ".md"]
    assert sorted(str(page.relative_to(DOCS)) for page in set(PAGES) - reached) == []


def _named(entries: list[object]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, dict):
            for value in entry.values():
                yield from _named(value)
        else:
            yield str(entry)


def test_the_job_on_the_page_about_parameters_can_be_saved_and_run() -> None:
    written = (DOCS / "job-parameters.md").read_text().split("```yaml\n")[1].split("```")[0]
    definition = check_definition(yaml.safe_load(written))

    values, problems = resolve(
        definition.parameters, {"site": "paris", "server": "web-9", "account": "deploy"}
    )

    assert problems == ()
    assert values["services"] == ["nginx"]


def test_every_type_of_parameter_has_its_row() -> None:
    rows = (DOCS / "job-parameters.md").read_text().split("## Types")[1].split("##")[0]
    types = get_args(Parameter.model_fields["type"].annotation)

    assert [kind for kind in types if f"`{kind}`" not in rows] == []


def test_the_reference_of_commands_is_what_the_commands_say() -> None:
    assert (DOCS / "cli.md").read_text() == reference()
