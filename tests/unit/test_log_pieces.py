"""How much of a log is read from the database at once."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.runs.log import LARGEST_PIECE, PIECE_BYTES, PIECE_CHUNKS, next_piece

SIZES = st.integers(min_value=0, max_value=400_000)


@given(pieces=st.lists(SIZES, max_size=20))
def test_a_piece_of_chunks_like_the_last_ones_weighs_no_more_than_it_should(pieces: list[int]) -> None:
    piece = PIECE_CHUNKS
    for chunk_bytes in pieces:
        piece = next_piece(piece, chunk_bytes)

        assert PIECE_CHUNKS <= piece <= LARGEST_PIECE
        assert piece == PIECE_CHUNKS or piece * chunk_bytes <= PIECE_BYTES


def test_many_small_chunks_are_read_with_few_questions() -> None:
    pieces = [PIECE_CHUNKS]
    while pieces[-1] < LARGEST_PIECE:
        pieces.append(next_piece(pieces[-1], 200))

    assert len(pieces) <= 4
