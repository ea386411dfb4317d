"""Rules over whole registries: queues, steps, causes, tables."""

import string

import pytest

from contracts import topology
from contracts.causes import CAUSES, Cause, Retry, catalogue
from contracts.jobs.steps import STEP_TYPES
from contracts.tables import Base
from contracts.topology import Queue, QueueType
from workers.executor.steps import all_plugins

WRITERS = ("gateway", "orchestrator", "executor", "caretaker", "scheduler", "notifier", "consumers")
UNUSUAL_WRITERS = {
    "AuditRow": "in the transaction of the change",
    "OutboxRow": "every unit of work",
    "RunEventRow": "whoever changed the run",
    "StreamEpochRow": "the migration",
    "WorkerRow": "by itself",
}
"""Tables that more than one process writes, and how their docstrings say so."""
WORDS = {"host", "port", "user", "detail"}


@pytest.mark.parametrize("queue", topology.durable_queues(), ids=lambda queue: queue.name)
def test_what_a_queue_cannot_deliver_becomes_a_dead_letter(queue: Queue) -> None:
    if queue is topology.DEAD_LETTERS:
        pytest.skip("the end of the line")
    for queue_type in ("quorum", "classic"):
        arguments = queue.arguments(queue_type)
        assert arguments["x-dead-letter-exchange"] == topology.DEAD
        assert arguments["x-dead-letter-routing-key"] == queue.name
    assert queue.arguments("quorum")["x-delivery-limit"] == topology.DELIVERY_LIMIT
    assert queue.arguments("quorum")["x-dead-letter-strategy"] == "at-least-once"
    assert queue.arguments("quorum")["x-overflow"] == "reject-publish"


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_no_queue_drops_messages_by_time_or_length(queue_type: QueueType) -> None:
    for queue in topology.durable_queues():
        forbidden = {"x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes"}
        assert not forbidden & queue.arguments(queue_type).keys()


def test_queue_names_are_unique_and_begin_with_their_consumer() -> None:
    names = [queue.name for queue in topology.durable_queues(["default", "dmz"])]

    assert len(set(names)) == len(names)
    assert {name.split(".")[0] for name in names} <= {"orchestrator", "executor", "caretaker", "notifier"}


def test_every_dead_letter_reaches_the_caretaker() -> None:
    assert (topology.DEAD_LETTERS.exchange, topology.DEAD_LETTERS.routing_key) == (topology.DEAD, "#")


def test_every_step_type_has_an_executor_and_no_executor_lacks_a_type() -> None:
    types = {step.model_fields["type"].annotation.__args__[0] for step in STEP_TYPES}  # type: ignore[union-attr]

    assert set(all_plugins()) == types


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.code)
def test_a_cause_says_what_happened_and_what_to_do(cause: Cause) -> None:
    for text in (cause.message, cause.hint):
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        assert used <= WORDS
        assert text[0] == "{" or text[0].isupper() or text.startswith("sudo ")
        assert text[-1] in ".?"
        assert text.format_map(dict.fromkeys(WORDS, "x"))
    assert cause.message != cause.hint


def test_two_causes_cannot_share_a_code() -> None:
    twin = Cause("quota", Retry.SAFE, "One.", "Do this.")

    with pytest.raises(ValueError, match="share a code"):
        catalogue(twin, twin)


@pytest.mark.parametrize(
    "mapper",
    sorted(Base.registry.mappers, key=str),
    ids=lambda known: str(known.class_.__name__),
)
def test_a_table_names_its_writer(mapper: object) -> None:
    table = mapper.class_  # type: ignore[attr-defined]
    said = (table.__doc__ or "").lower()

    writers = (UNUSUAL_WRITERS.get(table.__name__, ""),) if table.__name__ in UNUSUAL_WRITERS else WRITERS
    assert any(writer in said for writer in writers)


def test_no_table_has_a_relationship_that_loads_behind_our_back() -> None:
    assert not [mapper for mapper in Base.registry.mappers if mapper.relationships]
