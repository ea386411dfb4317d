"""Dead letters from the terminal: real ones, that a stranger's message has made."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
import pytest_asyncio

from contracts.messages import COMMANDS
from tests.support.eventually import eventually
from tests.support.up import START_SECONDS, Up

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]

WIRE_TYPE = "runs.advance-run.v1"


def _open(up: Up) -> list[dict[str, Any]]:
    ended = up.command("dlq", "list", "-o", "json")
    assert ended.code == 0, ended
    return list(json.loads(ended.out))


async def _letters(up: Up, count: int) -> list[str]:
    """Ids of so many new dead letters, whose messages nobody can read."""
    services = json.loads((up.data / "services.json").read_text())
    async with await aio_pika.connect(services["amqp_url"]) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        for _ in range(count):
            message = aio_pika.Message(
                b"no JSON", type=WIRE_TYPE, message_id=str(uuid4()), correlation_id=str(uuid4())
            )
            await exchange.publish(message, WIRE_TYPE)
    found = await eventually(lambda: _all(up, count), within=START_SECONDS, every=0.5)
    return [letter["id"] for letter in found]


def _all(up: Up, count: int) -> list[dict[str, Any]] | None:
    letters = _open(up)
    return letters if len(letters) == count else None


@pytest_asyncio.fixture(loop_scope="session")
async def system(running: Up) -> AsyncIterator[Up]:
    assert _open(running) == []
    yield running
    for letter in _open(running):
        running.command("dlq", "discard", letter["id"], "--reason", "the test is over")


async def test_a_dead_letter_is_shown_and_given_up(system: Up) -> None:
    [letter] = await _letters(system, 1)

    listed = system.command("dlq", "list")
    assert letter in listed.out
    assert "orchestrator.advance-run" in listed.out
    shown = system.command("dlq", "show", letter)
    assert (shown.code, "no JSON" in shown.out) == (0, True), shown
    sick = system.command("doctor")
    assert (sick.code, "fail  dead letters" in sick.out) == (1, True), sick

    refused = system.command("dlq", "replay", letter)
    assert (refused.code, refused.out) == (2, ""), "it would come back as it went: nobody can read it"
    assert refused.err
    given_up = system.command("dlq", "discard", letter, "--reason", "sent by a stranger")
    assert (given_up.code, given_up.out) == (0, f"Dead letter {letter} is discarded.\n")
    assert _open(system) == []


async def test_several_are_settled_at_once_and_the_exit_code_says_when_not_all_could_be(system: Up) -> None:
    [letter] = await _letters(system, 1)
    nobody, reason = str(uuid4()), ("--reason", "sent by a stranger")

    half = system.command("dlq", "discard", nobody, letter, *reason)
    assert half.code == 3, half
    assert [line.split()[:2] for line in half.out.splitlines()[1:]] == [[nobody, "no"], [letter, "yes"]]
    none = system.command("dlq", "discard", nobody, str(uuid4()), *reason)
    assert none.code == 1, none
    assert system.command("dlq", "discard", letter).code == 2, "without a reason"
