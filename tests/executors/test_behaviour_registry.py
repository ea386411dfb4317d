"""No step type without its promises, and no promise left out without a reason in words."""

import pytest

from contracts.jobs.steps import STEP_TYPES
from tests.executors import test_behaviour_local, test_behaviour_ssh, test_behaviour_winrm
from tests.executors.behaviour import Behaviour, promises, subclasses

MODULES = (test_behaviour_local, test_behaviour_ssh, test_behaviour_winrm)


def test_every_step_type_has_promises_of_its_own() -> None:
    types = {step.model_fields["type"].annotation.__args__[0] for step in STEP_TYPES}  # type: ignore[union-attr]
    held = {vars(module)[name].type for module in MODULES for name in vars(module) if name.startswith("Test")}

    assert {one.type for one in subclasses()} == held == types


def by_name(one: type[Behaviour]) -> str:
    return one.__name__


EVERY_ONE = sorted(subclasses(), key=by_name)


@pytest.mark.parametrize("one", EVERY_ONE, ids=by_name)
def test_what_a_step_type_cannot_promise_is_said_in_words(one: type[Behaviour]) -> None:
    assert one.cannot.keys() <= promises()
    assert all(len(reason.split()) >= 4 for reason in one.cannot.values())
    assert promises() - one.cannot.keys(), "a step type that promises nothing"
