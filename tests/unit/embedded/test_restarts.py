from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.restarts import RestartPolicy, restart_delay

POLICY = RestartPolicy()
lives = st.lists(st.floats(min_value=0, max_value=300), min_size=1, max_size=30)


def test_the_delay_doubles_and_the_fifth_death_within_a_minute_is_the_last() -> None:
    deaths = [0.0, 1.0, 3.0, 7.0, 15.0]
    assert [restart_delay(deaths[:n], POLICY) for n in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, None]


def test_one_that_dies_every_twenty_seconds_is_tried_for_ever_with_the_longest_delay() -> None:
    deaths = [20.0 * n for n in range(50)]
    assert restart_delay(deaths, POLICY) == 30.0


@given(lives)
def test_the_delay_stays_within_its_bounds_and_a_long_life_resets_it(lives: list[float]) -> None:
    deaths = list(accumulate(lives))
    delay = restart_delay(deaths, POLICY)

    assert delay is None or POLICY.first_delay <= delay <= POLICY.longest_delay
    assert restart_delay([*deaths, deaths[-1] + POLICY.within + 1], POLICY) == POLICY.first_delay


@given(lives)
def test_it_gives_up_only_after_five_deaths_within_a_minute(lives: list[float]) -> None:
    deaths = list(accumulate(lives))
    recent = [death for death in deaths if deaths[-1] - death < POLICY.within]
    assert (restart_delay(deaths, POLICY) is None) == (len(recent) >= POLICY.deaths)
