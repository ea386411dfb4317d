"""What is kept of a handler's error for whoever looks at the dead letter."""

import pytest
from pydantic import ValidationError

from contracts.errors import FieldProblem, Invalid
from contracts.runs.messages import StartRun
from infra.consuming import in_words


def test_a_message_that_breaks_its_contract_is_told_field_by_field_and_without_a_librarys_address() -> None:
    with pytest.raises(ValidationError) as broken:
        StartRun.model_validate_json(b'{"run_id": "not-an-id"}')

    first, *fields = in_words(broken.value).splitlines()

    assert first == "ValidationError: StartRun is not what its contract says."
    assert [field.split(":")[0] for field in fields] == ["run_id"]
    assert fields[0].endswith(", not 'not-an-id'")
    assert "http" not in "".join(fields)


def test_every_field_that_was_refused_is_kept_and_nothing_that_cannot_be_stored() -> None:
    refused = Invalid("No\0pe.", problems=[FieldProblem("steps.0", "must be there")])

    assert in_words(refused) == "Invalid: Nope.\nsteps.0: must be there"
