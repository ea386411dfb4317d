"""What a cause is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Retry(StrEnum):
    SAFE = "safe"
    POLICY = "policy"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Cause:
    """A typed cause. `message` and `hint` may hold `{host}`, `{port}`, `{user}`, `{detail}`."""

    code: str
    retry: Retry
    message: str
    hint: str


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def filled(text: str, words: Mapping[str, object]) -> str:
    """A text of the catalogue of causes with its placeholders filled, as far as there are words for them.

    The text has its own full stop; what a host says often has one, too.
    """
    said = {name: _unstopped(word) if isinstance(word, str) else word for name, word in words.items()}
    return text.format_map(_Blank(said))


def _unstopped(word: str) -> str:
    return word if word.endswith("..") else word.removesuffix(".")
