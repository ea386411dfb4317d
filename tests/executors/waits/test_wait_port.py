"""`wait.port` against real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.jobs.steps import WaitPort
from contracts.targets.specs import WinrmSettings
from infra.egress import AddressRule, Egress
from tests.executors.http_request.test_http_request import context
from tests.support.eventually import eventually
from tests.support.http_server import http_server
from tests.support.outputs import CollectedOutput
from tests.support.ports import free_port
from tests.support.windows import a_context
from workers.executor.steps.base import StepFault
from workers.executor.steps.wait_port import WaitPortPlugin


@pytest.fixture
async def plugin() -> AsyncIterator[WaitPortPlugin]:
    egress = Egress(AddressRule(["127.0.0.2/32"]))
    yield WaitPortPlugin(egress)
    egress.close()


def step(port: int, **fields: Any) -> WaitPort:
    return WaitPort.model_validate({"type": "wait.port", "port": port, "intervalSec": 0.1} | fields)


async def test_it_waits_until_somebody_listens(plugin: WaitPortPlugin) -> None:
    output, port = CollectedOutput(), free_port()
    attempt = await plugin.start(
        step(port, host="{{ host }}"), context(output=output, parameters={"host": "127.0.0.2"})
    )
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output.stdout)
    assert not following.done()
    async with http_server(host="127.0.0.2", port=port):
        outcome = await following

    assert outcome.outcome == "succeeded"
    lines = output.stdout.decode().splitlines()
    assert len(lines) == 2
    assert lines[-1].endswith(": open")


async def test_it_waits_until_nobody_listens(plugin: WaitPortPlugin) -> None:
    output = CollectedOutput()
    async with http_server(host="127.0.0.2") as server:
        attempt = await plugin.start(
            step(server.port, host="127.0.0.2", state="closed"), context(output=output)
        )
        following = asyncio.create_task(attempt.follow())
        await eventually(lambda: b"open" in output.stdout)
        assert not following.done()

    assert (await following).outcome == "succeeded"


@pytest.mark.provokes("target_missing")
async def test_a_target_is_reached_as_it_is_and_another_host_by_the_rules(plugin: WaitPortPlugin) -> None:
    output = CollectedOutput()
    async with http_server(host="127.0.0.1") as server:
        on_target = a_context(WinrmSettings(), output)
        attempt = await plugin.start(step(server.port), on_target)
        assert (await attempt.follow()).outcome == "succeeded"
        named = await plugin.start(step(server.port, host="127.0.0.1"), on_target)
        with pytest.raises(StepFault) as fault:
            await named.follow()
    with pytest.raises(StepFault) as nobody:
        await plugin.start(step(1), context())

    assert (fault.value.cause.code, nobody.value.cause.code) == ("egress_refused", "target_missing")


async def test_stopping_ends_the_waiting(plugin: WaitPortPlugin) -> None:
    attempt = await plugin.start(step(free_port(), host="127.0.0.2"), context())
    following = asyncio.create_task(attempt.follow())

    assert await attempt.stop()
    assert (await following).outcome == "failed"


async def test_a_name_that_nobody_knows_says_nothing_of_the_port() -> None:
    """A host that is misspelt must not pass for one whose port is closed."""

    async def nobody(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    egress, output = Egress(AddressRule([]), resolve=nobody), CollectedOutput()
    attempt = await WaitPortPlugin(egress).start(
        step(9, host="misspelt.invalid", state="closed"), context(output=output)
    )
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: b"does not resolve (Name or service not known)" in output.stdout)
    await asyncio.wait({following}, timeout=0.3)

    assert not following.done()
    await attempt.stop()
    await following
    egress.close()


@pytest.mark.parametrize("host", ["http://h.test", "h.test:22", "[::1]", "h.test/x", "a b", "ops@h.test"])
async def test_what_is_no_host_is_refused_before_anything_is_tried(plugin: WaitPortPlugin, host: str) -> None:
    with pytest.raises(StepFault) as fault:
        await plugin.start(step(9, host=host), context())

    assert (fault.value.cause.code, host in fault.value.message) == ("step_invalid", True)


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "fe80::1%lo", "h.test", "h"])
async def test_names_and_addresses_of_both_kinds_are_hosts(plugin: WaitPortPlugin, host: str) -> None:
    assert await plugin.start(step(9, host=host), context())
