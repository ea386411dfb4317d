"""How a routing key finds its queues in the embedded AMQP endpoint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.amqp.broker import topic_matches

WORDS = st.sampled_from(["runs", "start-run", "v1", ""])
KEYS = st.lists(WORDS, max_size=5).map(".".join)
PATTERNS = st.lists(st.one_of(WORDS, st.just("*"), st.just("#")), max_size=6).map(".".join)


def reference(pattern: list[str], key: list[str]) -> bool:
    """The definition, word by word: slow and obvious."""
    if not pattern:
        return not key
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(reference(rest, key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and head in ("*", key[0]) and reference(rest, key[1:])


def words(text: str) -> list[str]:
    return text.split(".") if text else []


@given(pattern=PATTERNS, key=KEYS)
def test_topic_matching_agrees_with_its_definition(pattern: str, key: str) -> None:
    assert topic_matches(pattern, key) is reference(words(pattern), words(key))


@given(key=KEYS)
def test_a_hash_alone_matches_every_key(key: str) -> None:
    assert topic_matches("#", key)


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("*", "", False),
        ("", "", True),
        ("*.v1", "runs.v1", True),
        ("*.v1", "v1", False),
        ("runs.#", "runs", True),
        ("#.v1.#", "runs.start-run.v1.default", True),
        ("runs.*", "runs.start-run.v1", False),
    ],
)
def test_star_is_one_word_and_hash_is_any_number(pattern: str, key: str, matches: bool) -> None:  # noqa: FBT001
    assert topic_matches(pattern, key) is matches


def test_many_hashes_cost_no_exponential_time() -> None:
    assert not topic_matches(".".join(["#", "x"] * 40), ".".join(["y"] * 2000))
