"""`wait.reboot`: the order is given once, and only another start of the host is success."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.jobs.steps import SshExec, WaitReboot
from tests.executors.ssh_exec.conftest import demo, host
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.rebootable import HARMLESS, Rebootable, a_rebootable_host
from tests.support.ssh import Reachable, output_of, run
from workers.executor.steps.base import StepContext, StepFault
from workers.executor.steps.remote import Remote
from workers.executor.steps.ssh_exec import SshExecPlugin
from workers.executor.steps.wait_reboot import WaitRebootPlugin
from workers.executor.steps.wait_reboot.boots import ASK_SH, is_another_start, mark_in
from workers.executor.steps.wait_reboot.probing import Prober
from workers.executor.steps.winrm_exec import WinrmExecPlugin

__all__ = ["demo", "host"]


@pytest.fixture
async def ssh() -> AsyncIterator[SshExecPlugin]:
    plugin = SshExecPlugin(reconnect_seconds=2.0)
    yield plugin
    await plugin.close()


@pytest.fixture
async def plugin(ssh: SshExecPlugin) -> AsyncIterator[WaitRebootPlugin]:
    winrm = WinrmExecPlugin(threads=1)
    yield WaitRebootPlugin(Remote(ssh=ssh, winrm=winrm))
    await winrm.close()


@pytest.fixture
async def rebootable(tmp_path: Path, ssh: SshExecPlugin) -> AsyncIterator[Rebootable]:
    async with a_rebootable_host(tmp_path) as found:
        await _is_harmless(found, ssh)
        yield found


async def _is_harmless(found: Rebootable, ssh: SshExecPlugin) -> None:
    """No test may reach the machine it runs on."""
    context = found.reachable.context()
    await run(ssh, context, f"for name in {' '.join(HARMLESS)}; do command -v $name; done")
    ours = [str(found.folder / "programs" / name) for name in HARMLESS]
    assert output_of(context).stdout.decode().split() == ours


def step(**fields: Any) -> WaitReboot:
    return WaitReboot.model_validate({"type": "wait.reboot", "intervalSec": 0.1} | fields)


async def test_a_target_reboots_once_and_the_step_ends_when_it_is_back(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    before = (rebootable.folder / "boot_id").read_text()
    attempt = await plugin.start(step(), context)
    assert rebootable.orders == 0
    rebootable.comes_back.clear()
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: b"it is away" in output_of(context).stdout)
    assert not following.done()
    rebootable.comes_back.set()
    outcome = await following
    await attempt.release()

    assert (outcome.outcome, rebootable.orders) == ("succeeded", 1)
    assert outcome.outputs["boot_before"] == before
    assert outcome.outputs["boot_after"] == (rebootable.folder / "boot_id").read_text()
    assert b"it is back" in output_of(context).stdout


async def test_a_host_that_is_merely_unreachable_for_a_while_has_not_rebooted(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await plugin.start(step(reboot=False), context)
    following = asyncio.create_task(attempt.follow())
    await rebootable.host.stop()
    await eventually(lambda: b"it is away" in output_of(context).stdout)
    await rebootable.host.start()
    await eventually(lambda: b"it is there" in output_of(context).stdout)
    assert not following.done()

    rebootable.new_start()

    assert (await following).outcome == "succeeded"
    assert rebootable.orders == 0


async def _followed_until_away(plugin: WaitRebootPlugin, rebootable: Rebootable, context: StepContext) -> Any:
    """An attempt whose host went down for the reboot, and does not come back before it is told to."""
    rebootable.comes_back.clear()
    attempt = await plugin.start(step(), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: b"it is away" in output_of(context).stdout)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return attempt


async def _lost(attempt: Any) -> None:
    """As a worker that dies: nothing is cleaned up."""
    await attempt.detach()


async def test_a_reboot_under_way_is_waited_for_by_the_next_worker_and_not_ordered_again(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await _followed_until_away(plugin, rebootable, context)
    await _lost(attempt)

    taken = await plugin.resume(step(), context, attempt.handle)
    rebootable.comes_back.set()
    outcome = await taken.follow()
    await taken.release()

    assert (outcome.outcome, rebootable.orders) == ("succeeded", 1)


async def test_an_order_given_before_the_worker_was_lost_is_not_given_again(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    rebootable.goes_down.clear()
    attempt = await plugin.start(step(), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: rebootable.orders)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await _lost(attempt)

    taken = await plugin.resume(step(), context, attempt.handle)
    following = asyncio.create_task(taken.follow())
    rebootable.goes_down.set()

    assert (await following).outcome == "succeeded"
    assert rebootable.orders == 1


async def test_an_order_that_was_not_given_yet_is_given_by_the_next_worker(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await plugin.start(step(), context)
    await _lost(attempt)

    taken = await plugin.resume(step(), context, attempt.handle)
    outcome = await taken.follow()
    await taken.release()

    assert (outcome.outcome, rebootable.orders) == ("succeeded", 1)


async def _look_that_was_cut_off(ssh: SshExecPlugin, context: StepContext) -> None:
    """As a worker leaves it that is killed, or a host that goes down, while the answer is under way."""
    winrm = WinrmExecPlugin(threads=1)
    prober = Prober(Remote(ssh=ssh, winrm=winrm), context)
    asking = SshExec.model_validate({"type": "ssh.exec", "command": ASK_SH})
    look = await ssh.start(asking, replace(prober.context, output=CollectedOutput()))
    await look.follow()
    await look.detach()
    await winrm.close()


async def test_a_look_that_was_cut_off_is_removed_by_the_next_one(
    plugin: WaitRebootPlugin, ssh: SshExecPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await plugin.start(step(reboot=False), context)
    await _look_that_was_cut_off(ssh, context)
    assert len(rebootable.reachable.folders()) == 1
    rebootable.new_start()

    assert (await attempt.follow()).outcome == "succeeded"
    await attempt.release()

    assert rebootable.reachable.folders() == []


async def test_a_look_of_a_killed_worker_is_removed_also_when_nobody_looks_again(
    plugin: WaitRebootPlugin, ssh: SshExecPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await plugin.start(step(reboot=False), context)
    await _look_that_was_cut_off(ssh, context)

    taken = await plugin.resume(step(reboot=False), replace(context, take_overs=1), attempt.handle)
    assert await taken.stop()
    await taken.release()

    assert rebootable.reachable.folders() == []


async def test_an_order_whose_worker_was_lost_is_removed_once_the_host_is_back(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await _followed_until_away(plugin, rebootable, context)
    order = Path(str(attempt.handle["order"]["folder"]))
    order.mkdir(mode=0o700, exist_ok=True)  # as where the host went down before it could be removed
    await _lost(attempt)

    taken = await plugin.resume(step(), replace(context, take_overs=1), attempt.handle)
    assert taken.handle == attempt.handle
    rebootable.comes_back.set()
    assert (await taken.follow()).outcome == "succeeded"
    await taken.release()

    assert rebootable.reachable.folders() == []


@pytest.mark.provokes("reboot_refused")
async def test_a_host_that_does_not_take_the_order_fails_the_step_with_its_words(
    plugin: WaitRebootPlugin, ssh: SshExecPlugin, tmp_path: Path
) -> None:
    async with a_rebootable_host(tmp_path, obeys=False) as refusing:
        await _is_harmless(refusing, ssh)
        attempt = await plugin.start(step(), refusing.reachable.context())
        outcome = await attempt.follow()
        await attempt.release()

    assert outcome.cause is not None
    assert (outcome.outcome, outcome.cause.code) == ("failed", "reboot_refused")
    assert "you may not" in str(outcome.words["detail"])


async def test_a_target_that_allows_one_session_reboots_as_well(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    attempt = await plugin.start(step(), rebootable.reachable.with_settings(max_concurrent=1))
    outcome = await attempt.follow()
    await attempt.release()

    assert (outcome.outcome, rebootable.orders) == ("succeeded", 1)


async def test_stopping_ends_the_waiting(plugin: WaitRebootPlugin, rebootable: Rebootable) -> None:
    attempt = await plugin.start(step(reboot=False), rebootable.reachable.context())
    following = asyncio.create_task(attempt.follow())

    assert await attempt.stop()
    assert (await following).outcome == "failed"


async def test_a_wrong_password_is_not_tried_again_and_again(
    plugin: WaitRebootPlugin, rebootable: Rebootable
) -> None:
    context = rebootable.reachable.context()
    attempt = await plugin.start(step(reboot=False), context)
    wrong = replace(rebootable.reachable.credential, secrets={"password": "another"})
    taken = await plugin.resume(step(reboot=False), replace(context, credential=wrong), attempt.handle)

    with pytest.raises(StepFault) as fault:
        await taken.follow()
    assert (fault.value.cause.code, fault.value.acted) == ("auth_rejected", False)


async def test_a_real_host_tells_its_boot_id(ssh: SshExecPlugin, host: Reachable) -> None:
    winrm = WinrmExecPlugin(threads=1)
    prober = Prober(Remote(ssh=ssh, winrm=winrm), host.context())

    assert await prober.first() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    await winrm.close()


def test_a_time_that_moved_a_little_is_the_same_start() -> None:
    first = "2026-01-02T03:04:05.1234567Z"

    assert not is_another_start(first, "2026-01-02T03:04:09.0000000Z")
    assert is_another_start(first, "2026-01-02T03:05:05.0000000Z")
    assert is_another_start("a-b-c", "a-b-d")
    assert mark_in("Welcome!\nboot=a-b-c\r\n") == "a-b-c"
    assert mark_in("boot=\n") is None
