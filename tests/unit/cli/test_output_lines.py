"""Chunks of output become whole lines, each once."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.client.lines import LineAssembler, OutputLine, printable

TEXT = st.text(st.sampled_from("ab \n\n"), max_size=40)


def _chunk(
    seq: int, data: str, *, target: str = "web-01", stream: str = "stdout", attempt: int = 1
) -> dict[str, Any]:
    return {"step": "s", "target": target, "attempt": attempt, "stream": stream, "seq": seq, "data": data}


def _texts(lines: list[OutputLine]) -> list[str]:
    return [line.text for line in lines]


@given(TEXT, st.lists(st.integers(0, 40), max_size=6), st.lists(st.integers(0, 6), max_size=10))
def test_the_same_lines_come_out_wherever_chunks_end_and_however_often_they_come(
    text: str, cuts: list[int], repeats: list[int]
) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [_chunk(seq, text[a:b]) for seq, (a, b) in enumerate(itertools.pairwise(edges), 1)]
    assembler, lines = LineAssembler(), list[OutputLine]()
    for index, chunk in enumerate(chunks):
        lines += assembler.feed(chunk)
        for repeated in repeats:
            if repeated <= index:
                assert assembler.feed(chunks[repeated]) == []
    lines += assembler.end()
    wanted = text.split("\n")
    assert _texts(lines) == (wanted if wanted[-1] else wanted[:-1])


def test_targets_streams_and_attempts_do_not_mix_within_a_line() -> None:
    assembler = LineAssembler()
    assert assembler.feed(_chunk(1, "out")) == []
    assert assembler.feed(_chunk(2, "err", stream="stderr")) == []
    assert assembler.feed(_chunk(1, "other", target="web-02")) == []
    assert assembler.feed(_chunk(1, "again", attempt=2)) == []
    assert _texts(assembler.feed(_chunk(3, "put\n"))) == ["output"]
    assert _texts(assembler.end()) == ["err", "other", "again"]


@given(st.text())
def test_what_is_printed_cannot_steer_the_terminal(text: str) -> None:
    shown = printable(text + "\x1b[2J\x1b]0;title\x07\x1bc" + text)
    assert not any(ord(sign) < 32 and sign not in "\t\n" for sign in shown)
    assert not any(0x7F <= ord(sign) <= 0x9F for sign in shown)


def test_of_a_line_that_overwrites_itself_the_last_state_is_shown() -> None:
    assert printable("10 %\r50 %\rdone") == "done"
