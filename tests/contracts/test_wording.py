"""What is wrong with a field is said in words that a person who never saw our code understands."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contracts.errors import Invalid
from contracts.jobs.definition import parse_definition
from contracts.jobs.schema import job_schema
from contracts.wording import PATTERNS, reason
from tests.support.processes import ROOT

STEP = {"type": "wait", "seconds": 1}


def said(model: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(model).validate_python(value)
    return reason(caught.value.errors()[0])


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


@pytest.mark.parametrize(
    ("model", "value", "words"),
    [
        (Annotated[str, Field(min_length=1)], "", "must not be empty"),
        (Annotated[str, Field(max_length=1000)], "x" * 1001, "may have at most 1,000 characters"),
        (Annotated[list[int], Field(min_length=1)], [], "needs at least one entry"),
        (Annotated[tuple[int, ...], Field(max_length=2)], (1, 2, 3), "may have at most 2 entries"),
        (int, "many", "must be a whole number"),
        (int, 1.5, "must be a whole number"),
        (float, [], "must be a number"),
        (bool, "perhaps", "must be true or false"),
        (Annotated[int, Field(ge=1)], 0, "must be at least 1"),
        (Annotated[int, Field(le=86400)], 10**6, "must be at most 86,400"),
        (Literal["text", "bytes"], "other", "must be text or bytes"),
        (Pet, {"kind": "dgo"}, "dgo is not one of cat, dog; did you mean dog?"),
        (Pet, {}, "lacks kind, which says its kind"),
        (dict[str, int], 3, "must be an object of names and values"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wanted(model: Any, value: object, words: str) -> None:
    assert said(model, value) == words


def test_what_our_own_rules_say_is_passed_on_as_it_stands() -> None:
    class Even(BaseModel):
        number: int

        def model_post_init(self, _: Any) -> None:
            raise ValueError("must be even")

    assert said(Even, {"number": 1}) == "must be even"


def _patterns(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        yield from schema.get("patternProperties", {})
        for part in schema.values():
            yield from _patterns(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)


def test_every_pattern_of_a_field_has_words() -> None:
    api = json.loads((ROOT / "docs" / "openapi.json").read_text())
    used = {*_patterns(api), *_patterns(job_schema())}

    assert used <= PATTERNS.keys()


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ({"name": "", "steps": [STEP]}, "name", "must not be empty"),
        ({"name": "a", "steps": []}, "steps", "needs at least one entry"),
        ({"name": "a"}, "steps", "is required"),
        ({"name": "a", "steps": [{**STEP, "name": "two words"}]}, "steps.0.name",
         "must be 1 to 64 letters, digits, _ and -, a letter first"),
        ({"name": "a", "steps": [{**STEP, "secnods": 3}]}, "steps.0.secnods",
         "is not a known field here; check the spelling and the indentation"),
    ],
)  # fmt: skip
def test_a_wrong_job_is_refused_in_plain_words(document: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_definition(document)

    assert (field, words) in [(problem.field, problem.reason) for problem in caught.value.problems]
