"""Which months the append-only tables are cut into."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infra.partitions import months_from


@given(day=st.dates(date(2020, 1, 1), date(2100, 1, 1)), count=st.integers(1, 30))
def test_months_follow_one_another_without_gap_or_overlap(day: date, count: int) -> None:
    months = months_from(day, count)

    assert len(months) == count
    assert months[0][0] <= day < months[0][1]
    assert all(end == following for (_, end), (following, _) in pairwise(months))
    assert all(first.day == end.day == 1 and first < end for first, end in months)
    assert all(end - first <= timedelta(days=31) for first, end in months)
