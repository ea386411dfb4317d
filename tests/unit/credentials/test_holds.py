"""When a rejected credential is tried nowhere any more."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.credentials.holds import WINDOW, Rejection, held_everywhere

AT = datetime(2026, 1, 1, tzinfo=UTC)
TARGETS = st.integers(1, 4).map(lambda number: UUID(int=number))
MOMENTS = st.integers(0, 3_600).map(lambda seconds: AT + timedelta(seconds=seconds))
REJECTIONS = st.lists(st.builds(Rejection, TARGETS, MOMENTS), max_size=12)


@given(TARGETS, st.lists(MOMENTS, max_size=12))
def test_one_machine_alone_never_stops_a_fleet(target: UUID, moments: Sequence[datetime]) -> None:
    assert not held_everywhere([Rejection(target, moment) for moment in moments])


@given(REJECTIONS, st.randoms())
def test_the_order_in_which_rejections_are_read_does_not_matter(
    rejections: list[Rejection], random: object
) -> None:
    mixed = list(rejections)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert held_everywhere(mixed) == held_everywhere(rejections)


@given(REJECTIONS, REJECTIONS)
def test_a_further_rejection_never_releases(known: list[Rejection], more: list[Rejection]) -> None:
    assert held_everywhere(known + more) or not held_everywhere(known)


@given(MOMENTS, st.integers(0, 7_200))
def test_two_machines_stop_it_exactly_when_they_are_close_in_time(moment: datetime, seconds: int) -> None:
    later = moment + timedelta(seconds=seconds)
    pair = [Rejection(UUID(int=1), moment), Rejection(UUID(int=2), later)]

    assert held_everywhere(pair) == (timedelta(seconds=seconds) <= WINDOW)


@given(REJECTIONS)
def test_it_needs_two_machines_within_the_window(rejections: list[Rejection]) -> None:
    close = any(
        one.target_id != other.target_id and abs(one.at - other.at) <= WINDOW
        for one in rejections
        for other in rejections
    )

    assert held_everywhere(rejections) == close
