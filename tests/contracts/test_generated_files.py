"""Files that are generated from contracts and committed: they follow their source."""

import json
from pathlib import Path

import pytest

from contracts import topology
from contracts.jobs.schema import job_schema, schema_text
from contracts.jobs.steps import STEP_TYPES, StepSpec
from infra.rabbitmq.definitions import definitions_text
from infra.settings import Settings
from infra.settings_reference import page

ROOT = Path(__file__).parents[2]


def test_the_published_job_schema_is_the_one_that_is_enforced() -> None:
    committed = (ROOT / "docs" / "job.schema.json").read_text()

    assert committed == schema_text(), "run: python -m contracts.jobs.schema > docs/job.schema.json"


@pytest.mark.parametrize("step", STEP_TYPES, ids=lambda step: step.__name__)
def test_the_schema_knows_every_field_of_every_step_and_refuses_others(step: type[StepSpec]) -> None:
    described = job_schema()["$defs"][step.__name__]

    fields = {field.alias or name for name, field in step.model_fields.items()}
    assert set(described["properties"]) == fields
    assert described["additionalProperties"] is False


def test_the_schema_takes_the_legacy_map_of_defaults() -> None:
    parameters = job_schema()["properties"]["parameters"]
    [either] = parameters["patternProperties"].values()

    assert [kind.get("type", "declared") for kind in either["anyOf"]][1] == [
        "string",
        "integer",
        "number",
        "boolean",
    ]
    assert parameters["additionalProperties"] is False


def test_the_committed_broker_definitions_are_the_topology() -> None:
    committed = (ROOT / "infra" / "rabbitmq" / "definitions.json").read_text()

    assert committed == definitions_text(), (
        "run: python -m infra.rabbitmq.definitions > infra/rabbitmq/definitions.json"
    )
    names = [queue["name"] for queue in json.loads(committed)["queues"]]
    assert names == [queue.name for queue in topology.durable_queues()]


def test_the_page_of_settings_is_what_the_processes_read() -> None:
    committed = (ROOT / "docs" / "settings.md").read_text()

    assert committed == page(), "run: python -m infra.settings_reference > docs/settings.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    assert Settings.model_fields[name].description
