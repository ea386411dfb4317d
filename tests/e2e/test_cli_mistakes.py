"""Words that lead nowhere, and readers that go away."""

import pytest

from tests.support.up import Up

pytestmark = pytest.mark.timeout(400)

COUNTDOWN = "Sample Linux Countdown"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("rusn",), "'runs'"),
        (("run", "sample linx countdown"), repr(COUNTDOWN)),
        (("get", "job", "Sample Linux Countdwn"), repr(COUNTDOWN)),
        (("targets", "test", "sample-linux"), "'sample-linux-server'"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
async def test_a_name_that_there_is_not_is_answered_with_what_may_be_meant(
    running: Up, words: tuple[str, ...], meant: str
) -> None:
    ended = running.command(*words)
    assert ended.code == 2
    assert "Did you mean" in ended.err
    assert meant in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("run", COUNTDOWN, "-p", "start=5", "--follow"),
        ("runs", "list", "-o", "json"),
        ("runs", "list"),
        ("doctor",),
    ],
    ids=" ".join,
)
async def test_a_reader_that_goes_away_ends_a_command_without_a_word(
    running: Up, words: tuple[str, ...]
) -> None:
    ended = running.unread(*words)
    assert ended.code == 0, ended
    assert "Traceback" not in ended.err
    assert "Broken pipe" not in ended.err
