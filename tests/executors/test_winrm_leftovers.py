"""Shells have names that follow from their attempt, so that those of a killed worker are found again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from infra.sandbox.windows import WindowsHost, faults, soap
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.windows import PATIENT, Bench, a_context, bench, ntlm_over_http, script, windows_host
from workers.executor.steps.base import NotResumable, StepContext
from workers.executor.steps.winrm.names import shell_names
from workers.executor.steps.winrm_exec import WinrmExecPlugin
from workers.executor.steps.winrm_exec.attempt import WinrmAttempt

__all__ = ["bench", "windows_host"]


class Holders:
    """One attempt, and the executors that hold it one after the other."""

    def __init__(self, host: WindowsHost) -> None:
        self.plugin = WinrmExecPlugin(limits=PATIENT, threads=8)
        self._context = a_context(ntlm_over_http(host), CollectedOutput())

    def context(self, holder: int) -> StepContext:
        return replace(self._context, take_overs=holder)

    async def start(self, holder: int) -> WinrmAttempt:
        return await self.plugin.start(script("hostname"), self.context(holder))

    async def killed_before_its_handle_was_stored(self, holder: int) -> None:
        await (await self.start(holder)).detach()


@pytest.fixture
async def holders(windows_host: WindowsHost) -> AsyncIterator[Holders]:
    holders = Holders(windows_host)
    yield holders
    await holders.plugin.close()


async def test_whoever_takes_over_without_a_handle_removes_the_shells_of_those_before(
    windows_host: WindowsHost, holders: Holders
) -> None:
    await holders.killed_before_its_handle_was_stored(0)
    await holders.killed_before_its_handle_was_stored(1)
    attempt = await holders.start(2)

    assert windows_host.shells.keys() == {shell_names(holders.context(2)).own}
    assert (await attempt.follow()).exit_code == 0
    await attempt.release()
    assert windows_host.shells == {}
    assert len(windows_host.journal) == 1


async def test_a_shell_that_a_lost_worker_opens_late_goes_with_the_attempt(
    windows_host: WindowsHost, holders: Holders
) -> None:
    attempt = await holders.start(1)
    await holders.killed_before_its_handle_was_stored(0)
    assert len(windows_host.shells) == 2

    assert (await attempt.follow()).exit_code == 0
    await attempt.release()

    assert windows_host.shells == {}
    assert len(windows_host.journal) == 1


async def test_a_lost_worker_that_wakes_up_late_cannot_get_at_the_shell_of_its_follower(
    windows_host: WindowsHost, holders: Holders
) -> None:
    late = await holders.start(0)
    attempt = await holders.start(1)
    await late.release()
    await holders.killed_before_its_handle_was_stored(0)

    assert (await attempt.follow()).exit_code == 0
    await attempt.release()


async def test_on_the_normal_way_nothing_is_deleted_but_the_own_shell(
    windows_host: WindowsHost, bench: Bench
) -> None:
    """The faults stand ready for every Delete: one is answered, the other is never asked for."""
    windows_host.plan.answer("Delete", faults.shell_not_found(), faults.shell_not_found())

    await bench.run("hostname")

    assert windows_host.plan.take("Delete") is not None
    assert windows_host.plan.take("Delete") is None


async def test_a_host_that_names_shells_itself_works_and_removes_a_lost_one_when_it_is_idle(
    windows_host: WindowsHost, holders: Holders, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows_host.knobs.names_shells_itself = True
    monkeypatch.setattr("workers.executor.steps.winrm.transport.SHELL_IDLE_TIMEOUT", "PT2S")
    await holders.killed_before_its_handle_was_stored(0)
    monkeypatch.setattr("workers.executor.steps.winrm.transport.SHELL_IDLE_TIMEOUT", "PT900S")
    attempt = await holders.start(1)

    assert attempt.handle["shell_id"] in windows_host.shells
    assert attempt.handle["shell_id"] not in shell_names(holders.context(1)).all
    assert (await attempt.follow()).exit_code == 0
    await attempt.release()
    await eventually(lambda: not windows_host.shells)
    assert len(windows_host.journal) == 1


async def test_a_host_that_refuses_a_chosen_name_is_asked_for_one_of_its_own(
    windows_host: WindowsHost, holders: Holders
) -> None:
    windows_host.plan.answer("Create", soap.Fault(2150858817, "The XML is invalid."))
    attempt = await holders.start(0)

    assert windows_host.shells.keys() == {attempt.handle["shell_id"]}
    assert (await attempt.follow()).exit_code == 0
    await attempt.release()
    assert windows_host.shells == {}


async def test_a_shell_whose_making_was_not_heard_of_is_replaced(
    windows_host: WindowsHost, holders: Holders
) -> None:
    windows_host.knobs.drop_after_create = 1
    attempt = await holders.start(0)

    assert windows_host.shells.keys() == {attempt.handle["shell_id"]}
    assert (await attempt.follow()).exit_code == 0
    await attempt.release()


async def test_a_name_that_is_taken_by_a_left_over_of_the_same_holder_is_taken_back(
    windows_host: WindowsHost, holders: Holders
) -> None:
    await holders.killed_before_its_handle_was_stored(0)
    [old] = windows_host.shells.values()
    attempt = await holders.start(0)

    [new] = windows_host.shells.values()
    assert (new.id, new is old) == (old.id, False)
    assert (await attempt.follow()).exit_code == 0
    await attempt.release()


async def test_when_a_command_has_vanished_the_shells_before_it_go_as_well(
    windows_host: WindowsHost, holders: Holders
) -> None:
    attempt = await holders.start(1)
    await windows_host.remove_shell(windows_host.shell(str(attempt.handle["shell_id"])))
    await attempt.detach()
    await holders.killed_before_its_handle_was_stored(0)

    with pytest.raises(NotResumable):
        await holders.plugin.resume(script("hostname"), holders.context(2), attempt.handle)

    assert windows_host.shells == {}


async def test_everything_of_an_ended_attempt_is_removed_whoever_opened_it(
    windows_host: WindowsHost, holders: Holders
) -> None:
    stored = await holders.start(1)
    await stored.detach()
    await holders.killed_before_its_handle_was_stored(0)
    assert len(windows_host.shells) == 2

    await holders.plugin.tidy(script("hostname"), holders.context(2), stored.handle)

    assert windows_host.shells == {}
    assert windows_host.journal == []


def test_names_follow_from_task_attempt_and_holder_alone(windows_host: WindowsHost) -> None:
    context = a_context(ntlm_over_http(windows_host), CollectedOutput())
    third = shell_names(replace(context, take_overs=2))

    assert shell_names(replace(context, take_overs=1)).own == third.earlier[1]
    assert third.before(third.earlier[1]) == third.earlier[:1]
    assert third.before("of the host's choice") == ()
    others = [replace(context, task_id=uuid4()), replace(context, attempt=2), context]
    assert len({shell_names(other).own for other in others} | {third.own}) == 4
    assert all(name == name.upper() and UUID(name) for name in third.all)
