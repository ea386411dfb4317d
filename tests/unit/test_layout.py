"""Which tasks a run has."""

from typing import Any
from uuid import UUID

import pytest

from contracts.jobs.definition import JobDefinition, parse_definition
from contracts.limits import TARGETS_PER_RUN
from workers.orchestrator.layout import (
    CannotLayOut,
    Known,
    KnownTarget,
    Part,
    lay_out,
    wanted_names,
    wanted_queries,
)

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
        for place in lay_out(job, chosen, Known(KNOWN))
    ]


def test_a_step_runs_on_its_own_targets_else_on_the_chosen_ones_else_on_the_jobs() -> None:
    job = a_job("a", None, job_targets=("b",))

    assert placed(job) == [(0, 0, "a"), (1, 0, "b")]
    assert placed(job, ["c", "b"]) == [(0, 0, "a"), (1, 0, "c"), (1, 1, "b")]
    assert wanted_names(job, ["c"]) == {"a", "c"}


def test_a_target_named_twice_is_one_task() -> None:
    assert placed(a_job(["a", "b", "a"])) == [(0, 0, "a"), (0, 1, "b")]


def test_a_task_is_executed_in_the_pool_of_its_target() -> None:
    assert [place.pool for place in lay_out(a_job(["a", "c"]), None, Known(KNOWN))] == ["default", "dmz"]


def test_a_step_that_acts_on_nothing_is_one_task_without_a_target() -> None:
    job = parse_definition({"name": "x", "steps": [{"type": "wait", "seconds": 0}]})

    [place] = lay_out(job, None, Known())
    assert (place.target, place.pool) == (None, "default")


def test_missing_targets_are_named_with_their_step() -> None:
    with pytest.raises(CannotLayOut, match=r"Step step-1: there is no target named x1, x2, x3, x4, x5 …\."):
        lay_out(a_job([f"x{number}" for number in range(1, 9)]), None, Known(KNOWN))
    with pytest.raises(CannotLayOut, match=r"Step step-2 has no target"):
        lay_out(a_job("a", None), [], Known(KNOWN))


def test_a_query_stands_for_what_it_found() -> None:
    job = parse_definition(
        {
            "name": "x",
            "targets": {"query": "tag:web"},
            "steps": [
                {"type": "ssh.exec", "command": "id"},
                {"type": "ssh.exec", "command": "id", "target": {"query": "pool:dmz", "on_empty": "skip"}},
                {"type": "wait", "seconds": 0, "target": "a"},
            ],
        }
    )
    known = Known(KNOWN, {"tag:web": [KNOWN["a"], KNOWN["b"]], "pool:dmz": []})

    assert wanted_queries(job, None) == {"tag:web", "pool:dmz"}
    assert wanted_queries(job, ["a"]) == {"pool:dmz"}
    assert [(p.step_no, p.ordinal, p.target and p.target.name) for p in lay_out(job, None, known)] == [
        (0, 0, "a"),
        (0, 1, "b"),
        (2, 0, "a"),
    ]
    with pytest.raises(CannotLayOut, match=r"Step step-1: no target fits the query `tag:web`\."):
        lay_out(job, None, Known(KNOWN, {"tag:web": [], "pool:dmz": []}))


def test_a_run_touches_no_more_targets_than_it_may() -> None:
    job = parse_definition(
        {
            "name": "x",
            "targets": {"query": "name:*"},
            "steps": [{"type": "ssh.exec", "command": "id"}, {"type": "ssh.exec", "command": "id"}],
        }
    )
    many = [KnownTarget(UUID(int=number), str(number), "default") for number in range(TARGETS_PER_RUN + 1)]

    assert len(lay_out(job, None, Known({}, {"name:*": many[1:]}))) == 2 * TARGETS_PER_RUN
    with pytest.raises(CannotLayOut, match="more than 100000 targets"):
        lay_out(job, None, Known({}, {"name:*": many}))


def part(job: JobDefinition, only: set[str] | None, first: int | None = None) -> list[tuple[int, str | None]]:
    chosen = None if only is None else frozenset(only)
    return [
        (place.step_no, place.target.name if place.target else None)
        for place in lay_out(job, None, Known(KNOWN), Part(chosen, first))
    ]


def test_a_part_narrows_every_step_also_one_with_targets_of_its_own() -> None:
    job = a_job(["a", "b"], None, job_targets=("b", "c"))

    assert part(job, {"b"}) == [(0, "b"), (1, "b")]
    assert part(job, {"c"}) == [(1, "c")]
    with pytest.raises(CannotLayOut, match="Nothing of the job is left"):
        part(job, {"z"})


def test_a_part_from_a_step_on_has_that_step_and_what_waits_for_it() -> None:
    steps = [
        {"name": name, "type": "ssh.exec", "command": "id", "target": "a"} | more
        for name, more in (
            ("one", {}),
            ("two", {}),
            ("aside", {"needs": ["one"]}),
            ("end", {"needs": ["two"]}),
        )
    ]
    job = parse_definition({"name": "x", "steps": steps})

    assert part(job, None, 1) == [(1, "a"), (3, "a")]
    assert part(job, None, 0) == [(0, "a"), (1, "a"), (2, "a"), (3, "a")]
