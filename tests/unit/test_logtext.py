"""Output as text: whatever way it was cut into chunks."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.runs.logtext import LogText

AT = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
OUT, ERR = ("one", "web-1", 1, "stdout"), ("one", "web-1", 1, "stderr")
COLOURED = "\x1b[31mred\x1b[0m plain \x1b]8;;http://x\x07link\x1b]8;;\x07 \x1b[2K\x1b(Bend\n"


def whole(text: LogText, pieces: list[str]) -> str:
    return "".join(text.add(OUT, piece, AT) for piece in pieces) + text.end()


def cut(text: str, places: list[int]) -> list[str]:
    marks = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(marks)]


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_colours_are_taken_out_wherever_the_chunks_were_cut(places: list[int]) -> None:
    plain = whole(LogText(timestamps=False, ansi=False), cut(COLOURED * 3, places))

    assert plain.partition("\n")[2] == "red plain link end\n" * 3


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_every_line_has_one_time_wherever_the_chunks_were_cut(places: list[int]) -> None:
    timed = whole(LogText(timestamps=True, ansi=True), cut("a\nbb\n\nccc\n", places))

    stamp = "2026-03-01T12:00:00.123Z "
    assert timed.splitlines()[1:] == [f"{stamp}a", f"{stamp}bb", stamp, f"{stamp}ccc"]


@given(st.text(max_size=60))
def test_text_without_escapes_is_left_as_it_is(text: str) -> None:
    if "\x1b" not in text:
        plain = whole(LogText(timestamps=False, ansi=False), [text])
        assert plain.endswith(text)


def test_a_heading_stands_wherever_the_place_changes() -> None:
    text = LogText(timestamps=False, ansi=True)

    written = text.add(OUT, "a\n", AT) + text.add(OUT, "b\n", AT) + text.add(ERR, "c\n", AT)

    assert written == (
        "==> one on web-1, attempt 1, stdout <==\na\nb\n\n==> one on web-1, attempt 1, stderr <==\nc\n"
    )
