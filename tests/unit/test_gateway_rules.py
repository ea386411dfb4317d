"""Pure rules of the gateway: cursors, event ids, passwords, tries."""

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Invalid, RateLimited
from gateway.access.limits import FREE_TRIES, LoginLimiter
from gateway.etags import require_match
from gateway.live.frames import event_id, parse_event_id
from gateway.paging import decode_cursor, encode_cursor, int_cursor, uuid_cursor
from gateway.strictjson import read_json, read_yaml
from infra.passwords import weakness

parts = st.lists(st.text(st.characters(exclude_characters="\n\0", codec="utf-8")), min_size=1, max_size=4)


@given(parts)
def test_a_cursor_gives_back_what_went_in(values: list[str]) -> None:
    assert decode_cursor(encode_cursor(*values), len(values)) == values


@given(st.uuids(), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_typed_cursors_give_back_what_went_in(row: UUID, one: int, two: int) -> None:
    assert uuid_cursor(encode_cursor(row)) == row
    assert int_cursor(encode_cursor(one, two), 2) == (one, two)


@given(st.text(max_size=100))
def test_any_text_as_cursor_is_understood_or_refused_as_invalid(text: str) -> None:
    for read in (uuid_cursor, lambda cursor: int_cursor(cursor, 2)):
        with suppress(Invalid):
            read(text)


@given(st.integers(1, 10**6), st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1))
def test_an_event_id_leads_back_to_its_place_in_its_own_epoch_only(epoch: int, xid: int, row: int) -> None:
    written = event_id(epoch, (xid, row))

    assert parse_event_id(written, epoch) == (xid, row)
    assert parse_event_id(written, epoch + 1) is None


@given(st.text(max_size=80))
def test_any_text_as_event_id_is_a_place_or_a_reset(text: str) -> None:
    place = parse_event_id(text, 1)

    assert place is None or (0 <= place[0] < 2**64 and 0 <= place[1] < 2**63)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_invalid(body: bytes) -> None:
    for read in (read_json, read_yaml):
        with suppress(Invalid):
            read(body)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "admin123",
        "password1234",
        "Passw0rd!!!!",
        "changeme-changeme",
        "aaaaaaaaaaaaaaa",
        "rosarosarosa1",
    ],
)
def test_a_password_that_anybody_could_guess_is_refused(password: str) -> None:
    assert weakness(password, username="rosa")


@pytest.mark.parametrize("password", ["correct-horse-battery", "t7#kQ2!mZx9w", "Ein ganzer Satz ist gut"])
def test_a_good_password_is_taken(password: str) -> None:
    assert weakness(password, username="rosa") is None


def test_tries_come_back_with_time_and_are_counted_per_address_and_name() -> None:
    time = 1_000.0
    limiter = LoginLimiter(lambda: time)
    for _ in range(FREE_TRIES):
        limiter.check("a", "Rosa")
        limiter.failed("a", "rosa")

    with pytest.raises(RateLimited):
        limiter.check("a", "ROSA")
    limiter.check("b", "rosa")
    limiter.check("a", "max")
    time += 31
    limiter.check("a", "rosa")


def test_if_match_takes_a_list_and_a_star() -> None:
    for value in (None, "*", '"1-a"', '"0-b", "1-a"'):
        require_match(value, '"1-a"')
