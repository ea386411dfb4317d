"""Which tasks a run has."""

from typing import Any
from uuid import UUID

import pytest

from contracts.jobs.definition import JobDefinition, parse_definition
from workers.orchestrator.layout import KnownTarget, TargetsMissing, lay_out, wanted_names

KNOWN = {
    name: KnownTarget(UUID(int=number), name, "dmz" if name == "c" else "default")
    for number, name in enumerate("abc")
}


def a_job(*targets: str | list[str] | None, job_targets: tuple[str, ...] = ()) -> JobDefinition:
    steps: list[dict[str, Any]] = [
        {"type": "ssh.exec", "command": "id"} | ({"target": t} if t else {}) for t in targets
    ]
    return parse_definition({"name": "x", "steps": steps, "targets": list(job_targets)})


def placed(job: JobDefinition, chosen: list[str] | None = None) -> list[tuple[int, int, str | None]]:
    return [
        (place.step_no, place.ordinal, place.target.name if place.target else None)
        for place in lay_out(job, chosen, KNOWN)
    ]


def test_a_step_runs_on_its_own_targets_else_on_the_chosen_ones_else_on_the_jobs() -> None:
    job = a_job("a", None, job_targets=("b",))

    assert placed(job) == [(0, 0, "a"), (1, 0, "b")]
    assert placed(job, ["c", "b"]) == [(0, 0, "a"), (1, 0, "c"), (1, 1, "b")]
    assert wanted_names(job, ["c"]) == {"a", "c"}


def test_a_target_named_twice_is_one_task() -> None:
    assert placed(a_job(["a", "b", "a"])) == [(0, 0, "a"), (0, 1, "b")]


def test_a_task_is_executed_in_the_pool_of_its_target() -> None:
    assert [place.pool for place in lay_out(a_job(["a", "c"]), None, KNOWN)] == ["default", "dmz"]


def test_a_step_that_acts_on_nothing_is_one_task_without_a_target() -> None:
    job = parse_definition({"name": "x", "steps": [{"type": "wait", "seconds": 0}]})

    [place] = lay_out(job, None, {})
    assert (place.target, place.pool) == (None, "default")


def test_missing_targets_are_named_with_their_step() -> None:
    with pytest.raises(TargetsMissing, match=r"Step step-1: there is no target named x1, x2, x3, x4, x5 …\."):
        lay_out(a_job([f"x{number}" for number in range(1, 9)]), None, KNOWN)
    with pytest.raises(TargetsMissing, match=r"Step step-2 has no target"):
        lay_out(a_job("a", None), [], KNOWN)
