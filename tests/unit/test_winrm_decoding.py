"""From bytes to text: UTF-8 however it is cut, OEM where it is not UTF-8, and the marker off the front."""

from hypothesis import given
from hypothesis import strategies as st

from workers.executor.steps.winrm_exec.decoding import HELD_BYTES, OpenedMarker, TextDecoder

MARKER = b"#ops-open 0123456789abcdef\n"


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted(min(cut, len(data)) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def decoded(pieces: list[bytes], oem: str = "cp437") -> str:
    decoder = TextDecoder(oem)
    return "".join(decoder.feed(piece) for piece in pieces) + decoder.finish()


cuts = st.lists(st.integers(0, 300), max_size=12)


@given(text=st.text(), cuts=cuts)
def test_utf8_decodes_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "replace")

    assert decoded(pieces_of(data, cuts)) == data.decode()


@given(data=st.binary(max_size=2000), cuts=cuts)
def test_no_bytes_are_ever_refused(data: bytes, cuts: list[int]) -> None:
    assert isinstance(decoded(pieces_of(data, cuts)), str)


def test_a_line_in_the_oem_codepage_is_read_in_it_and_its_neighbours_are_not() -> None:
    data = "grün\n".encode() + "grün\n".encode("cp850") + "grün\n".encode()

    assert decoded([data], "cp850") == "grün\ngrün\ngrün\n"


def test_trail_bytes_that_look_like_ascii_belong_to_their_character() -> None:
    assert decoded(["表示\n".encode("cp932")], "cp932") == "表示\n"


def test_a_line_without_end_is_not_held_back_for_ever() -> None:
    decoder = TextDecoder("cp437")

    assert len(decoder.feed(b"\xff" * (HELD_BYTES + 1))) == HELD_BYTES + 1


@given(rest=st.binary(max_size=50), cuts=st.lists(st.integers(0, 80), max_size=8))
def test_the_marker_is_taken_off_however_it_is_cut(rest: bytes, cuts: list[int]) -> None:
    marker = OpenedMarker(MARKER)

    out = b"".join(marker.feed(piece) for piece in pieces_of(MARKER + rest, cuts)) + marker.finish()

    assert out == rest
    assert marker.seen


@given(data=st.binary(max_size=60).filter(lambda data: not data.startswith(MARKER)), cuts=cuts)
def test_a_stream_without_the_marker_stays_whole(data: bytes, cuts: list[int]) -> None:
    marker = OpenedMarker(MARKER)

    out = b"".join(marker.feed(piece) for piece in pieces_of(data, cuts)) + marker.finish()

    assert out == data
    assert marker.seen is False
