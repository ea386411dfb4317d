"""No secret is visible in output, whatever its form and however the output is cut; nothing else changes."""

import base64
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.executor import masking
from workers.executor.masking import MASK, MIN_SECRET_CHARS, Masker, masker_of

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="*"), min_size=MIN_SECRET_CHARS + 2, max_size=40
).filter(lambda text: len(text.strip()) >= MIN_SECRET_CHARS)
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda s: s.encode(),
    "utf-16": lambda s: s.encode("utf-16-le"),
    "url": lambda s: quote(s, safe="").encode(),
    "form": lambda s: quote_plus(s).encode(),
    "base64": lambda s: base64.b64encode(s.encode()),
    "base64 in base64": lambda s: base64.b64encode(b"x=" + s.encode() + b";y"),
    "base64 of utf-16": lambda s: base64.b64encode(s.encode("utf-16-le")),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()),
}


def masked_in_pieces(masker: Masker, data: bytes, sizes: list[int], limit: int) -> bytes:
    """What a stream shows when `data` arrives in pieces of these sizes, again and again."""
    shown, buffer, at, turn = b"", b"", 0, 0
    while at < len(data) or buffer:
        piece = data[at : at + sizes[turn % len(sizes)]]
        at, turn = at + len(piece), turn + 1
        buffer += piece
        while cut := masker.cut(buffer, limit=limit, ended=at >= len(data)):
            shown += masker.mask(buffer[:cut])
            buffer = buffer[cut:]
    return shown


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(
    secret=SECRETS,
    around=st.tuples(st.binary(max_size=20), st.binary(max_size=20)),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    limit=st.integers(1, 100),
)
def test_a_secret_is_never_visible(
    form: str, secret: str, around: tuple[bytes, bytes], sizes: list[int], limit: int
) -> None:
    masker = Masker([secret])
    hidden = FORMS[form](secret)

    shown = masked_in_pieces(masker, around[0] + hidden + b"\n" + around[1], sizes, limit)

    assert MASK in shown
    assert hidden.rstrip(b"=") not in shown
    assert secret.encode() not in shown


@settings(max_examples=150)
@given(
    secrets=st.lists(st.text("ab", min_size=4, max_size=9), min_size=1, max_size=4),
    data=st.text("abc", max_size=60),
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=5),
    limit=st.integers(1, 30),
)
def test_any_split_shows_what_the_whole_would_show(
    secrets: list[str], data: str, sizes: list[int], limit: int
) -> None:
    masker = Masker(secrets)

    assert masked_in_pieces(masker, data.encode(), sizes, limit) == masker.mask(data.encode())


@given(data=st.binary(max_size=200), sizes=st.lists(st.integers(1, 50), min_size=1))
def test_nothing_else_is_changed(data: bytes, sizes: list[int]) -> None:
    masker = Masker(["never-in-there-7301", "abc"])

    assert masked_in_pieces(masker, data, sizes, 64) == data


def test_a_short_secret_that_begins_a_longer_one_gives_nothing_of_it_away() -> None:
    masker = Masker(["pass", "password-7301"])

    assert masked_in_pieces(masker, b"password-7301!", [4], 100) == MASK + b"!"


def test_a_secret_longer_than_a_chunk_is_hidden_whole() -> None:
    secret = "".join(f"{number:x}" for number in range(9_000))
    masker = Masker([secret])

    shown = masked_in_pieces(masker, b"begin " + secret.encode() + b" end", [7_000], 1_000)

    assert shown == b"begin *** end"


def test_every_long_line_of_a_key_is_hidden_by_itself() -> None:
    key = "-----BEGIN KEY-----\nc2VjcmV0LWxpbmUtb25l\nc2VjcmV0LWxpbmUtdHdv\n-----END KEY-----\n"
    masker = Masker([key])

    assert masker.mask(b"> c2VjcmV0LWxpbmUtdHdv <") == b"> *** <"


def test_a_value_too_short_to_hide_hides_nothing() -> None:
    assert Masker(["abc", ""]).mask(b"abcabc") == b"abcabc"


def test_attempts_with_the_same_secrets_share_what_hides_them_and_no_secret_outlives_the_last() -> None:
    one, two = masker_of(["kept-by-nobody", "other"]), masker_of(["other", "kept-by-nobody"])
    assert one is two
    assert masker_of(["kept-by-nobody"]) is not one

    del one, two

    assert frozenset({"kept-by-nobody", "other"}) not in masking._in_use
