"""How a job, a step or a request for a run says which targets it means: by names or by a query."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from contracts.limits import TARGETS_PER_RUN
from contracts.targets.query import QUERY_CHARACTERS, Query, QueryRefused, parse_query

TargetName = Annotated[str, Field(min_length=1, max_length=253)]
TargetNames = Annotated[tuple[TargetName, ...], Field(max_length=TARGETS_PER_RUN)]


class TargetQuery(BaseModel):
    """The targets that fit when the run is laid out; later changes do not move a run that has begun."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=QUERY_CHARACTERS)]
    """For example `os:linux tag:role=web !name:old-*`."""
    on_empty: Literal["fail", "skip"] = "fail"
    """When nothing fits: end the run as failed with that reason, or leave the steps out."""

    @field_validator("query")
    @classmethod
    def _parses(cls, text: str) -> str:
        try:
            parse_query(text)
        except QueryRefused as refused:
            raise ValueError(str(refused)) from None
        return text

    @property
    def parsed(self) -> Query:
        return parse_query(self.query)


def _shape(value: Any) -> str:
    """Which of the shapes this is meant to be, so that an error speaks of that one alone."""
    if isinstance(value, str):
        return "[name]"
    return "[query]" if isinstance(value, dict | TargetQuery) else "[names]"


ChosenTargets = Annotated[
    Annotated[TargetName, Tag("[name]")]
    | Annotated[TargetNames, Tag("[names]")]
    | Annotated[TargetQuery, Tag("[query]")],
    Discriminator(_shape),
]
"""One name, several, or a query."""


def names_in(chosen: ChosenTargets | None) -> tuple[str, ...]:
    """The targets that are named; none where a query chooses."""
    if chosen is None or isinstance(chosen, TargetQuery):
        return ()
    return (chosen,) if isinstance(chosen, str) else chosen
