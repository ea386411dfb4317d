"""What every message promises, checked over the whole registry."""

import re
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from contracts import topology
from contracts.limits import MESSAGE_BYTES, TASKS_PER_MESSAGE
from contracts.messages import COMMANDS, EVENTS, Command, Event, Message, known_messages
from contracts.runs import looks as runs_looks
from contracts.runs.messages import ExecuteTasks, RunsChanged
from contracts.targets import looks as targets_looks

LOOKS = (*runs_looks.LOOKS, *targets_looks.LOOKS)

MESSAGES = sorted(known_messages().values(), key=lambda message: message.wire_type)
EVERY_MESSAGE = pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.wire_type)

WIRE_TYPE = re.compile(r"^[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$")
IMPERATIVES = {"Start", "Advance", "Execute", "Test"}
"""Extend it with the verb of a new command: a second pair of eyes on its name."""
PAST = re.compile(r"(ed|Sent|Lost|Begun|Done)$")
SECRET_NAME = re.compile(r"pass|secret|token|private|credential|cookie|output|stdout|script", re.IGNORECASE)


@EVERY_MESSAGE
def test_a_wire_type_says_feature_name_and_version(message: type[Message]) -> None:
    assert WIRE_TYPE.fullmatch(message.wire_type)
    words = message.wire_type.split(".")[1].split("-")
    name, version = re.fullmatch(r"(.*?)(V\d+)?", message.__name__).groups()  # type: ignore[union-attr]
    assert "".join(word.capitalize() for word in words) == name
    assert message.wire_type.endswith((version or "V1").lower())


@EVERY_MESSAGE
def test_commands_are_orders_and_events_are_facts(message: type[Message]) -> None:
    name = re.sub(r"V\d+$", "", message.__name__)
    if issubclass(message, Command):
        assert message.exchange == COMMANDS
        assert re.match(r"[A-Z][a-z]+", name).group() in IMPERATIVES  # type: ignore[union-attr]
    else:
        assert issubclass(message, Event)
        assert message.exchange == EVENTS
        assert PAST.search(name)


@EVERY_MESSAGE
def test_no_message_has_room_for_a_secret_or_for_output(message: type[Message]) -> None:
    for name in _field_names(message):
        assert not SECRET_NAME.search(name)


def _field_names(model: type[BaseModel]) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        names.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _field_names(field.annotation)
    return names


@EVERY_MESSAGE
def test_a_message_is_read_by_an_older_program(message: type[Message]) -> None:
    assert message.model_config.get("extra") == "ignore"
    assert message.model_config.get("frozen") is True


@EVERY_MESSAGE
def test_a_command_has_exactly_one_queue_and_its_routing_key_reaches_it(message: type[Message]) -> None:
    queues = [queue for queue in topology.QUEUES if queue.message is message]
    if not issubclass(message, Command):
        heard = message in (topology.HEARD_BY_EVERY_EXECUTOR, topology.HEARD_BY_EVERY_GATEWAY)
        assert heard or queues, "an event that nobody hears"
        return
    [queue] = queues
    bound = queue.for_pool("dmz") if queue.pool_template else queue
    values = {
        "run_id": UUID(int=1),
        "pool": "dmz",
        "task_ids": (UUID(int=2),),
        "also": (),
        "test_id": UUID(int=3),
    }
    required = [name for name, field in message.model_fields.items() if field.is_required()]
    example = message.model_validate({name: values[name] for name in required})
    assert bound.exchange == message.exchange
    assert bound.routing_key == example.routing_key


def test_every_message_has_a_look_that_finds_its_work_without_it() -> None:
    looked = [look.message for look in LOOKS]

    assert sorted(looked, key=str) == sorted(MESSAGES, key=str)
    assert all(look.finds and look.seconds <= 5 for look in LOOKS)


def test_the_largest_messages_fit_into_one_message() -> None:
    execute = ExecuteTasks(
        run_id=uuid4(), pool="p" * 32, task_ids=tuple(uuid4() for _ in range(TASKS_PER_MESSAGE))
    )
    changed = RunsChanged(run_ids=tuple(uuid4() for _ in range(1_000)))

    assert len(execute.model_dump_json()) <= MESSAGE_BYTES
    assert len(changed.model_dump_json()) <= MESSAGE_BYTES


def test_two_messages_cannot_share_a_wire_type() -> None:
    with pytest.raises(TypeError, match="already StartRun"):

        class Twin(Command):
            wire_type = "runs.start-run.v1"
