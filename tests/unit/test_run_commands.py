"""Commands about runs: several in one message, none lost, none twice, and small."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.limits import MESSAGE_BYTES, RUNS_PER_MESSAGE
from contracts.runs.messages import AdvanceRun, StartRun


@given(st.lists(st.uuids(), unique=True, max_size=3 * RUNS_PER_MESSAGE))
def test_as_few_commands_as_possible_name_every_run_once(run_ids: list[UUID]) -> None:
    commands = AdvanceRun.about(run_ids)

    assert [run_id for command in commands for run_id in command.run_ids] == run_ids
    assert len(commands) == -(-len(run_ids) // RUNS_PER_MESSAGE)
    assert all(len(command.model_dump_json()) <= MESSAGE_BYTES for command in commands)


def test_a_command_about_one_run_says_nothing_of_others() -> None:
    run_id = uuid4()

    assert StartRun(run_id=run_id).model_dump(mode="json") == {"run_id": str(run_id)}
    assert StartRun.model_validate_json(f'{{"run_id": "{run_id}"}}').run_ids == (run_id,)
