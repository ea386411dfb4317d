"""Every cause is explained in plain words, with settings that exist, on a page of its own in docs and CLI."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.explain import app
from contracts.causes import CAUSES
from contracts.causes.help import GROUPS, HELP, what_it_says
from contracts.causes.help.page import page
from contracts.jobs.steps import STEP_TYPES
from contracts.tables.targets import TargetRow
from contracts.targets.specs import SshSettings, WinrmSettings
from infra.settings import Settings

NAMES = ("`", "src ", "sudo ", "cmd ", "credssp ")
"""Names of things keep their small letter."""
PAGE = Path(__file__).parents[2] / "docs" / "causes.md"


def test_every_cause_is_explained_and_nothing_else_is() -> None:
    assert set(HELP) == set(CAUSES)
    assert sum(len(group) for group in GROUPS.values()) == len(HELP)


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_an_explanation_says_what_why_and_what_to_do_in_sentences(code: str) -> None:
    help_ = HELP[code]

    assert not help_.title.endswith(".")
    assert len(help_.why) > 50
    assert help_.steps
    for sentence in (help_.why, *help_.steps):
        assert sentence[0].isupper() or sentence.startswith(NAMES), sentence
        assert sentence.endswith((".", "?")), sentence
    assert not re.search(r"[{}]", what_it_says(code) + help_.why)


def _settings() -> set[str]:
    steps = {field.alias or name for step in STEP_TYPES for name, field in step.model_fields.items()}
    targets = {column.key for column in TargetRow.__table__.columns}
    return (
        {f"step.{name}" for name in steps}
        | {f"target.{name}" for name in targets}
        | {f"target.winrm.{name}" for name in WinrmSettings.model_fields}
        | {f"target.ssh.{name}" for name in SshSettings.model_fields}
        | {f"OPS_{name.upper()}" for name in Settings.model_fields}
    )


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_the_settings_an_explanation_names_exist(code: str) -> None:
    assert set(HELP[code].settings) - _settings() == set()


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_the_command_line_explains_it_without_a_server(code: str) -> None:
    told = CliRunner().invoke(app, [code])

    words = " ".join(told.stdout.split())
    assert told.exit_code == 0
    assert HELP[code].title in words
    assert " ".join(HELP[code].steps[0].split()) in words


def test_a_name_that_is_no_cause_is_answered_with_those_like_it() -> None:
    told = CliRunner().invoke(app, ["auth_reject"])

    assert told.exit_code == 2
    assert "auth_rejected" in told.stderr


def test_the_page_of_causes_is_today_s_with_an_anchor_for_each() -> None:
    committed = PAGE.read_text()

    assert committed == page(), "run: python -m contracts.causes.help.page > docs/causes.md"
    assert set(re.findall(r"^### (\w+)$", committed, re.MULTILINE)) == set(CAUSES)
