"""What the embedded AMQP endpoint writes on a dead letter, and when it sees a circle."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pamqp.commands import Basic

from infra.embedded.amqp.messages import DeathReason, Message

NOW = datetime(2030, 1, 2, tzinfo=UTC)
REASONS: list[DeathReason] = ["rejected", "delivery_limit", "maxlen"]
DEATHS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(REASONS)), min_size=1, max_size=12)


def a_message(**headers: Any) -> Message:
    return Message("", "key", Basic.Properties(headers=headers), b"body", 100)


def died(deaths: list[tuple[str, DeathReason]]) -> Message:
    message = a_message(mine=1)
    for queue, reason in deaths:
        message = message.buried(queue, reason, exchange="dlx", key=None, at=NOW)
    return message


@given(deaths=DEATHS)
def test_the_history_counts_every_death_once_and_the_latest_comes_first(
    deaths: list[tuple[str, DeathReason]],
) -> None:
    history = died(deaths).deaths

    counts = {(death["queue"], death["reason"]): death["count"] for death in history}
    assert counts == {death: deaths.count(death) for death in deaths}
    assert len(history) == len(counts)
    assert (history[0]["queue"], history[0]["reason"]) == deaths[-1]


@given(deaths=DEATHS)
def test_the_first_death_stays_on_record_and_other_headers_stay(
    deaths: list[tuple[str, DeathReason]],
) -> None:
    headers = died(deaths).properties.headers or {}

    first = (headers["x-first-death-queue"], headers["x-first-death-reason"])
    assert (first, headers["x-first-death-exchange"], headers["mine"]) == (deaths[0], "", 1)


def test_the_original_message_is_not_changed() -> None:
    message = a_message(a=1)

    message.buried("q", "rejected", exchange="dlx", key="k", at=NOW)

    assert message.properties.headers == {"a": 1}


def test_a_circle_is_seen_unless_somebody_rejected_on_the_way() -> None:
    assert died([("a", "maxlen")]).would_cycle("a")
    assert not died([("a", "maxlen")]).would_cycle("b")
    assert not died([("a", "maxlen"), ("b", "rejected")]).would_cycle("a")
    assert not a_message(**{"x-death": "not a list"}).would_cycle("a")
