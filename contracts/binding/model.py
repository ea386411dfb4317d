"""The words of binding: what a placeholder is, why one is refused, and which names parameters may have."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

ParameterValue = str | int | float | bool | list[str] | tuple[str, ...]
"""One value, or the chosen ones of a list: texts of one line each."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One well-formed `{{ name }}`. Line and column count from 1, start and end are offsets from 0."""

    name: str
    line: int
    column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """One placeholder that cannot be bound where it stands, and what to write instead. 1-based place."""

    name: str
    line: int
    column: int
    reason: str
    suggestion: str

    def __str__(self) -> str:
        return (
            f"line {self.line}, column {self.column}, {{{{ {self.name} }}}}: {self.reason} {self.suggestion}"
        )


class BindingRefused(Exception):
    """A script or a value cannot be bound; `refusals` says where, why, and what to write instead."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("\n".join(str(refusal) for refusal in self.refusals))


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for refusing, before it is known where. `{name}` in the suggestion becomes the parameter's."""

    reason: str
    suggestion: str


class LostTrack(Exception):
    """A tokenizer met something it does not know: nothing after it can be judged."""

    def __init__(self, reason: str, suggestion: str) -> None:
        self.why = Why(reason, suggestion)
        super().__init__(reason)


def words(text: str) -> frozenset[str]:
    """A table of names, written as one text."""
    return frozenset(text.split())


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """What is wrong with these parameter names, one sentence each; empty when nothing is."""
    problems = []
    spelled: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if NAME.fullmatch(name) is None:
            problems.append(
                f"{name!r} is not a parameter name: a letter or underscore, "
                "then at most 63 letters, digits or underscores."
            )
        spelled[name.lower()].append(name)
    problems.extend(
        f"{' and '.join(same)} differ only in case, which Windows does not tell apart: rename one."
        for same in spelled.values()
        if len(same) > 1
    )
    return tuple(problems)
