"""A wrapper that serves one attempt after the other: what it saves, and what it must never mix up."""

import pytest

from tests.executors.ssh_exec.conftest import Sessions
from tests.support.ssh import Reachable, output_of, run
from workers.executor.steps.base import StepContext
from workers.executor.steps.ssh_exec import SshExecPlugin, looks, parking


@pytest.fixture
def never_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end always comes unasked, however slow the machine is."""
    monkeypatch.setattr(looks, "FIRST", 300.0)


def alike(host: Reachable, count: int) -> list[StepContext]:
    """Contexts of tasks on one target with one credential."""
    first = host.context()
    return [host.context(target=first.target, credential=first.credential) for _ in range(count)]


@pytest.mark.usefixtures("never_look")
async def test_attempts_one_after_the_other_share_a_session_and_keep_their_output_apart(
    host: Reachable, plugin: SshExecPlugin, sessions: Sessions
) -> None:
    contexts = alike(host, 4)

    for number, context in enumerate(contexts):
        outcome = await run(plugin, context, f"echo out {number}; echo err {number} >&2; exit {number}")
        assert outcome.exit_code == number

    assert [output_of(context).stdout for context in contexts] == [b"out %d\n" % n for n in range(4)]
    assert [output_of(context).stderr for context in contexts] == [b"err %d\n" % n for n in range(4)]
    assert host.folders() == []
    assert len(sessions) == 1


@pytest.mark.usefixtures("never_look")
async def test_nothing_of_an_attempt_stays_for_the_next(
    host: Reachable, plugin: SshExecPlugin, sessions: Sessions
) -> None:
    before, between, after = alike(host, 3)
    surroundings = "echo ${LEFT-none} ${A-none} $(umask); pwd; cat; trap"
    changes = "export LEFT=1; cd /; umask 777; trap '' TERM; cat"

    await run(plugin, before, surroundings)
    await run(plugin, between, changes, stdin="given", env={"A": "1"})
    await run(plugin, after, surroundings)

    assert output_of(after).stdout == output_of(before).stdout
    assert output_of(between).stdout == b"given"
    assert len(sessions) == 1


async def test_a_session_in_which_a_daemon_may_still_speak_is_not_used_again(
    host: Reachable, plugin: SshExecPlugin, sessions: Sessions
) -> None:
    first, second = alike(host, 2)

    await run(plugin, first, "(sleep 2; echo late) & echo one")
    await run(plugin, second, "sleep 2; echo two")

    assert output_of(first).stdout == b"one\n"
    assert output_of(second).stdout == b"two\n"
    assert len(sessions) == 2


@pytest.mark.usefixtures("never_look")
async def test_an_old_session_is_not_used_again(
    host: Reachable, plugin: SshExecPlugin, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "PARKED_SECONDS", 0.0)

    for context in alike(host, 2):
        await run(plugin, context, "true")

    assert len(sessions) == 2


@pytest.mark.usefixtures("never_look")
async def test_a_wrapper_killed_while_it_waits_is_replaced_unseen(
    host: Reachable, plugin: SshExecPlugin, sessions: Sessions
) -> None:
    first, second = alike(host, 2)
    await run(plugin, first, "true")
    [endpoint] = plugin._connections._endpoints.values()
    [waiting] = endpoint.links[0].parking._sessions
    waiting.close()

    await run(plugin, second, "echo hello")

    assert output_of(second).stdout == b"hello\n"
    assert host.folders() == []
    assert len(sessions) == 2
