"""The job definition: what is accepted, and that strangers' documents are refused and never crash it."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Invalid
from contracts.jobs.definition import needs_of, parse_definition, step_name
from contracts.jobs.steps import STEP_TYPES, RetryPolicy
from contracts.jobs.steps.files import CopySpec

SH: dict[str, Any] = {"type": "ssh.exec", "command": "true"}
WAIT: dict[str, Any] = {"type": "wait", "seconds": 1}


def a_definition(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "tidy", "steps": list(steps) or [WAIT]} | more


def problems_of(document: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_definition(document)
    return {problem.field: problem.reason for problem in caught.value.problems}


def test_steps_follow_one_another_unless_they_say_what_they_need() -> None:
    steps = parse_definition(
        a_definition(
            WAIT | {"name": "a"},
            WAIT | {"name": "b"},
            WAIT | {"needs": []},
            WAIT | {"needs": ["a", "b", "a"]},
        )
    ).steps

    assert needs_of(steps) == ((), (0,), (), (0, 1))
    assert [step_name(step, index) for index, step in enumerate(steps)] == ["a", "b", "step-3", "step-4"]


@pytest.mark.parametrize("kind", [kind for kind in STEP_TYPES if issubclass(kind, CopySpec)])
def test_a_copy_may_be_repeated_unless_the_step_says_otherwise(kind: type[CopySpec]) -> None:
    step = {"type": get_args(kind.model_fields["type"].annotation)[0], "content_base64": "", "dest": "/tmp/f"}

    [said, unsaid] = parse_definition(a_definition(step | {"delivery": "at_most_once"}, step)).steps

    assert (said.delivery, unsaid.delivery) == ("at_most_once", "at_least_once")


@pytest.mark.parametrize(
    ("document", "field", "reason"),
    [
        (a_definition(WAIT | {"name": "a", "needs": ["a"]}), "definition", "circle"),
        (
            a_definition(WAIT | {"name": "a", "needs": ["b"]}, WAIT | {"name": "b", "needs": ["a"]}),
            "definition",
            "steps.0, steps.1 wait for one another in a circle",
        ),
        (a_definition(WAIT | {"needs": ["nobody"]}), "definition", "no step named nobody"),
        (a_definition(WAIT | {"name": "x"}, WAIT | {"name": "x"}), "definition", "two steps are named x"),
        (a_definition(WAIT, WAIT | {"name": "step-1"}), "definition", "two steps are named step-1"),
        (a_definition(WAIT | {"seconds": -1}), "steps.0.seconds", "must be at least 0"),
        (a_definition(WAIT | {"wait": 1}), "steps.0.wait", "not a known field"),
        (a_definition({"type": "ssh.exec"}), "steps.0.command", "required"),
        (a_definition(WAIT | {"timeoutSec": 0}), "steps.0.timeoutSec", "must be more than 0"),
        (a_definition(WAIT | {"retry": {"attempts": 21}}), "steps.0.retry.attempts", "must be at most 20"),
        (a_definition(SH | {"fail_on": {"pattern": "(a"}}), "steps.0.fail_on.pattern", "missing ): (a"),
        (a_definition(SH | {"fail_on": {"pattern": "a(?=b)"}}), "steps.0.fail_on.pattern", "RE2"),
        (a_definition(SH | {"fail_on": {"pattern": r"\Aa"}}), "steps.0.fail_on.pattern", "write ^ and $"),
        (a_definition(SH | {"success_codes": []}), "steps.0.success_codes", "at least one entry"),
        (a_definition(SH | {"idleTimeoutSec": 0}), "steps.0.idleTimeoutSec", "must be more than 0"),
        (a_definition({"type": "rm.everything"}), "steps.0", "rm.everything"),
        (
            a_definition(parameters={"wait": {"type": "text"}}),
            "parameters.wait.type",
            "must be string, integer",
        ),
        (a_definition(parameters={"a": 1, "A": 2}), "definition", "differ in more than case"),
        (a_definition(parameters={"9": 1}), "parameters.9", "no digit first"),
        (a_definition(parameters={f"p{i}": 1 for i in range(101)}), "parameters", "at most 100"),
        (a_definition(*[WAIT] * 101), "steps", "at most 100"),
        ({"name": "x", "steps": []}, "steps", "at least one entry"),
        (a_definition(name="a\nb"), "name", "no line ends"),
        (a_definition(retries=1), "retries", "not a known field"),
        (a_definition(max_parallel=0), "max_parallel", "must be at least 1"),
        (a_definition(targets=["x" * 254]), "targets.0", "at most 253"),
        ([], "definition", "an object of names and values"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(document: Any, field: str, reason: str) -> None:
    found = problems_of(document)

    assert list(found) == [field]
    assert reason in found[field]


def test_every_wrong_field_is_named_at_once() -> None:
    found = problems_of(a_definition(WAIT | {"seconds": "x"}, {"type": "ssh.exec"}, name=""))

    assert set(found) == {"name", "steps.0.seconds", "steps.1.command"}


def test_one_target_may_be_written_without_a_list() -> None:
    read = parse_definition(
        a_definition({"type": "ssh.exec", "command": "id", "target": ["a", "b"]}, targets="web-1")
    )

    assert (read.targets, read.steps[0].target) == (("web-1",), ("a", "b"))


def test_a_back_off_doubles_up_to_an_hour_and_never_shrinks() -> None:
    assert [RetryPolicy(backoff=100).delay_after(n) for n in (1, 2, 6, 7, 20)] == [
        100,
        200,
        3_200,
        3_600,
        3_600,
    ]
    assert RetryPolicy(backoff=7_200).delay_after(5) == 7_200


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["wait", "ssh.exec", "winrm.exec", "string", "secret", "\ud800", "\0", "a" * 300]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("name", "steps", "type", "seconds", "command", "needs", "target", "targets", "retry"),
                    *(
                        "parameters",
                        "default",
                        "pattern",
                        "choices",
                        "minimum",
                        "timeoutSec",
                        "attempts",
                        "\ud800",
                    ),
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=50)
@given(document=ANYTHING)
def test_a_hostile_document_is_refused_and_nothing_else(document: Any) -> None:
    _is_read_or_refused(document)


@settings(max_examples=40)
@given(steps=ANYTHING, parameters=ANYTHING, needs=st.lists(st.lists(st.integers(0, 5)), max_size=5))
def test_hostile_parts_of_a_sound_document_are_refused(
    steps: Any, parameters: Any, needs: list[list[int]]
) -> None:
    _is_read_or_refused({"name": "x", "steps": [steps]})
    _is_read_or_refused(a_definition(parameters={"p": parameters}))
    wanted = [WAIT | {"needs": [f"step-{n}" for n in own]} for own in needs]
    _is_read_or_refused(a_definition(*wanted))


def _is_read_or_refused(document: Any) -> None:
    try:
        read = parse_definition(document)
    except Invalid as error:
        problems = error.problems
    else:
        needs_of(read.steps)
        read.model_dump_json(by_alias=True)
        return
    assert problems
    assert all(problem.field and problem.reason for problem in problems)
