"""Decoding of CLIXML: the same text however it is cut into pieces, and nothing of an error is lost."""

from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.windows.clixml import HEAD, PROGRESS, TAIL, escaped
from workers.executor.steps.winrm_exec.clixml import ClixmlDecoder

DONE = PROGRESS.format(activity="Preparing modules for first use.", state="Completed")


def decoded(*pieces: str) -> str:
    decoder = ClixmlDecoder()
    return "".join(decoder.feed(piece) for piece in pieces) + decoder.finish()


def written(text: str, kind: str = "Error") -> str:
    return f'<S S="{kind}">{escaped(text)}</S>'


texts = st.text(st.characters(codec="utf-8"), max_size=20)
elements = st.one_of(
    st.builds(written, texts, st.sampled_from(["Error", "warning", "verbose", "debug", "information"])),
    st.just(DONE),
    st.just('<S S="Error" />'),
    st.sampled_from(["plain text", "<", "#", "<S>", "a < b", "\r\n", "</S>", "<Obj>"]),
)
documents = st.lists(elements, max_size=6).map(lambda parts: HEAD + "".join(parts) + TAIL)
streams = st.lists(st.one_of(documents, texts, st.sampled_from(["#", "#< CLI", "#< CLIXML\r\n"])), max_size=3)


@given(stream=streams.map("".join), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_into_pieces_decodes_the_same(stream: str, cuts: list[int]) -> None:
    places = sorted(min(cut, len(stream)) for cut in cuts)
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]

    assert decoded(*pieces) == decoded(stream)


@given(lines=st.lists(texts, max_size=8))
def test_every_error_comes_out_as_it_was_written(lines: list[str]) -> None:
    document = HEAD + DONE + "".join(written(line) for line in lines) + TAIL

    assert decoded(document) == "".join(lines)


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="#")))
def test_plain_text_is_passed_on_untouched(text: str) -> None:
    assert decoded(text) == text


def test_progress_is_dropped_even_when_it_nests() -> None:
    nested = '<Obj S="progress" RefId="0"><MS><Obj N="x" RefId="1"><S>deep</S></Obj></MS></Obj>'

    assert decoded(HEAD, nested, DONE, TAIL) == ""


def test_warnings_say_what_they_are() -> None:
    assert decoded(HEAD, written("careful", "warning"), TAIL) == "WARNING: careful\n"


def test_two_documents_with_plain_text_around_them_are_all_decoded() -> None:
    document = HEAD + written("bad\r\n") + TAIL

    assert (
        decoded("before\n", document, "between\n", document, "after")
        == "before\nbad\r\nbetween\nbad\r\nafter"
    )


def test_a_program_that_writes_into_an_open_document_is_still_heard() -> None:
    assert (
        decoded(HEAD, written("one\r\n"), "raw & <b>\r\n", written("two\r\n"), TAIL)
        == "one\r\nraw & <b>\r\ntwo\r\n"
    )


def test_what_only_looks_like_clixml_stays_raw() -> None:
    assert decoded("#< CLIXML\r\nno document") == "#< CLIXML\r\nno document"
    assert decoded(HEAD, '<S S="Error">cut of') == '<S S="Error">cut of'


def test_an_emoji_is_put_together_from_its_two_escapes() -> None:
    assert decoded(HEAD, '<S S="Error">_xD83D__xDE00__x000D__x000A_</S>', TAIL) == "\U0001f600\r\n"


def test_after_a_gap_the_objects_of_a_headless_document_are_read() -> None:
    decoder = ClixmlDecoder()
    decoder.skipped()

    assert decoder.feed(written("late\r\n") + TAIL + HEAD + written("next\r\n") + TAIL) == "late\r\nnext\r\n"
