"""Documents written by earlier programs: every later one has to read them.

A file is written once, when its message, step type or document is new, and never edited: adding an optional
field keeps it readable, anything else needs a new version with a file of its own.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.jobs.definition import parse_definition
from contracts.jobs.steps import STEP_TYPES, StepSpec
from contracts.messages import Meta, known_messages
from contracts.targets.specs import SshSettings, WinrmSettings

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("wire_type", sorted(known_messages()))
def test_a_stored_message_is_read_in_full(wire_type: str) -> None:
    stored = golden(wire_type)

    read = known_messages()[wire_type].model_validate_json(json.dumps(stored))

    assert json.loads(read.model_dump_json(exclude_unset=True)) == stored
    assert set(known_messages()[wire_type].model_fields) <= set(stored) | _optional(type(read))


def _optional(model: Any) -> set[str]:
    return {name for name, field in model.model_fields.items() if not field.is_required()}


def type_of(step: type[StepSpec]) -> str:
    literal: Any = step.model_fields["type"].annotation
    return str(literal.__args__[0])


@pytest.mark.parametrize("step", STEP_TYPES, ids=type_of)
def test_a_stored_step_is_read_in_full(step: type[StepSpec]) -> None:
    stored = golden(f"step.{type_of(step)}")

    read = step.model_validate_json(json.dumps(stored))

    assert json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)) == stored


@pytest.mark.parametrize("name", ["job-definition", "job-definition.legacy"])
def test_a_stored_definition_is_read_in_full(name: str) -> None:
    stored = golden(name)

    read = parse_definition(stored)

    assert len(read.steps) == len(stored["steps"])
    assert parse_definition(json.loads(read.model_dump_json(by_alias=True))) == read


def test_the_legacy_map_of_defaults_becomes_typed_parameters() -> None:
    read = parse_definition(golden("job-definition.legacy"))

    assert {name: (spec.type, spec.default) for name, spec in read.parameters.items()} == {
        "svc": ("string", "Spooler"),
        "retries": ("integer", 3),
        "ratio": ("number", 0.5),
        "force": ("boolean", True),
    }


def test_stored_settings_of_targets_are_read() -> None:
    assert WinrmSettings.model_validate(golden("target.winrm")).effective_port == 5986
    assert SshSettings.model_validate(golden("target.ssh")).port == 2222


def test_a_stored_envelope_is_read() -> None:
    stored = golden("envelope")

    read = Meta.model_validate_json(json.dumps(stored))

    assert json.loads(read.model_dump_json(exclude_unset=True)) == stored


def test_every_golden_file_is_of_something_that_is_still_read() -> None:
    known = {f"{wire_type}.json" for wire_type in known_messages()}
    known |= {f"step.{type_of(step)}.json" for step in STEP_TYPES}
    others = {"job-definition.json", "job-definition.legacy.json", "target.winrm.json", "target.ssh.json"}

    assert {path.name for path in GOLDEN.iterdir()} == known | others | {"envelope.json"}
