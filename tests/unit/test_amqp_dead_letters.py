"""What the embedded AMQP endpoint writes on a dead letter."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pamqp.commands import Basic

from infra.embedded.amqp.broker import Broker
from infra.embedded.amqp.queues import Message, Queue

REASONS = st.sampled_from(["rejected", "delivery_limit"])
DEATHS = st.lists(st.tuples(st.sampled_from("abc"), REASONS), min_size=1, max_size=12)


def a_message(**headers: Any) -> Message:
    return Message("", "key", Basic.Properties(headers=headers), b"body", 100)


def a_queue(name: str, **arguments: str) -> Queue:
    options = {"x-queue-type": "classic", "x-dead-letter-exchange": "dlx"} | arguments
    return Queue(name, options, owner=None, broker=Broker(memory_limit=0))


def died(deaths: list[tuple[str, str]]) -> Message:
    message = a_message(mine=1)
    for queue, reason in deaths:
        message = message.buried(a_queue(queue), reason)
    return message


@given(deaths=DEATHS)
def test_every_death_is_on_record_and_the_latest_comes_first(deaths: list[tuple[str, str]]) -> None:
    history: Any = (died(deaths).properties.headers or {})["x-death"]

    assert [(death["queue"], death["reason"]) for death in history] == deaths[::-1]
    assert [death["exchange"] for death in history] == ["dlx"] * (len(deaths) - 1) + [""]


@given(deaths=DEATHS)
def test_the_first_death_stays_on_record_and_other_headers_stay(deaths: list[tuple[str, str]]) -> None:
    headers = died(deaths).properties.headers or {}

    first = (headers["x-first-death-queue"], headers["x-first-death-reason"])
    assert (first, headers["x-first-death-exchange"], headers["mine"]) == (deaths[0], "", 1)


def test_the_original_message_is_not_changed() -> None:
    message = a_message(a=1)

    letter = message.buried(a_queue("q", **{"x-dead-letter-routing-key": "k"}), "rejected")

    assert (letter.exchange, letter.routing_key) == ("dlx", "k")
    assert (message.exchange, message.routing_key, message.properties.headers) == ("", "key", {"a": 1})
