"""The life of runs and tasks: the tables of contracts, the trigger of the migration, and the database."""

import itertools
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import IllegalTransition
from contracts.runs.states import (
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    TASK_TERMINAL,
    TASK_TRANSITIONS,
    RunStatus,
    TaskState,
    advance,
    sources_of,
)

first_schema = import_module("infra.migrations.versions.0001_first_schema")


def test_every_status_is_in_the_transition_tables() -> None:
    assert set(RUN_TRANSITIONS) == set(RunStatus)
    assert set(TASK_TRANSITIONS) == set(TaskState)


@pytest.mark.parametrize(
    ("moves", "table"),
    [(first_schema.RUN_MOVES, RUN_TRANSITIONS), (first_schema.TASK_MOVES, TASK_TRANSITIONS)],
    ids=["runs", "tasks"],
)
def test_the_trigger_of_the_database_allows_exactly_what_contracts_allow(moves, table) -> None:  # type: ignore[no-untyped-def]
    enforced = {(source, target) for source, targets in moves for target in targets}

    assert enforced == {(source.value, target.value) for source in table for target in table[source]}


def test_every_state_can_be_reached_and_every_life_can_end() -> None:
    lives: list[tuple[Any, Any, Any]] = [
        (RUN_TRANSITIONS, RunStatus.REQUESTED, RUN_TERMINAL),
        (TASK_TRANSITIONS, TaskState.PENDING, TASK_TERMINAL),
    ]
    for table, first, ends in lives:
        reached, edge = {first}, {first}
        while edge:
            edge = set(itertools.chain.from_iterable(table[state] for state in edge)) - reached
            reached |= edge
        assert reached == set(table)
        assert {state for state, targets in table.items() if not targets} == ends


@given(
    path=st.lists(st.sampled_from(RunStatus), min_size=1) | st.lists(st.sampled_from(TaskState), min_size=1)
)
def test_terminal_states_are_final(path: list[RunStatus] | list[TaskState]) -> None:
    state: RunStatus | TaskState = (
        RunStatus.REQUESTED if isinstance(path[0], RunStatus) else TaskState.PENDING
    )
    for target in path:
        before = state
        try:
            state = advance(state, target)  # type: ignore[type-var]
        except IllegalTransition:
            continue
        assert before not in RUN_TERMINAL | TASK_TERMINAL
        assert before in sources_of(state)  # type: ignore[type-var]
