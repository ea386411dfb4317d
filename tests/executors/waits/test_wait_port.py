"""`wait.port` against real sockets."""

import asyncio
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
