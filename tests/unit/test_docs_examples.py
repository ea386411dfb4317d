"""What the pages tell of jobs: every example can be saved, and every field that steps share is told."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.jobs.definition import JobDefinition, parse_definition
from contracts.jobs.steps.base import RetryPolicy, StepSpec

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMON = DOCS / "steps" / "common.md"
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _jobs(page: Path) -> list[Any]:
    """Every block of YAML with steps: a definition, or the document of a job."""
    found = []
    for block in re.findall(
        r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for document in yaml.safe_load_all(block):
            if isinstance(document, dict) and document.get("kind") == "Job":
                found.append({"name": document["metadata"]["name"], **document["spec"]})
            elif isinstance(document, dict) and "steps" in document:
                found.append({"name": "example", **document})
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if _jobs(page)], ids=lambda page: page.name)
def test_every_job_in_a_page_can_be_saved(page: Path) -> None:
    for job in _jobs(page):
        parse_definition(job)


def test_every_field_that_steps_share_is_told_with_what_it_is_when_left_out() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", COMMON.read_text(encoding="utf-8"), re.MULTILINE))
    fields = {field.alias or name: field for name, field in StepSpec.model_fields.items()}

    assert set(told) == set(fields) - {"type"}
    assert told["timeoutSec"] == f"{fields['timeoutSec'].default:g}"
    assert told["retry"] == f"`{{attempts: {RetryPolicy().attempts}}}`"
    for name in ("on_failure", "delivery"):
        assert told[name] == f"`{fields[name].default}`"
    assert JobDefinition.model_fields["max_parallel"].default is None
