"""Commands as somebody else: let in as sudo says, once, and stopped with the same rights."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.executors.ssh_exec.conftest import Sessions
from tests.support.accounts import Account, can_make_accounts, throw_away_account
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.ssh import (
    Reachable,
    is_running,
    let_go,
    output_of,
    real_sshd,
    run,
    script,
    sshd_is_installed,
)
from workers.executor.steps.base import StepFault
from workers.executor.steps.ssh_exec import SshExecPlugin

pytestmark = pytest.mark.skipif(
    not (sshd_is_installed() and can_make_accounts()),
    reason="needs root, an OpenSSH server, sudo and useradd to make a throw-away account",
)

WITH_PASSWORD = "{user} ALL=(ALL) ALL"
WITHOUT_PASSWORD = "{user} ALL=(ALL) NOPASSWD: ALL"


@asynccontextmanager
async def host_of(account: Account, **secrets: str) -> AsyncIterator[Reachable]:
    async with real_sshd(account.user) as host:
        yield replace(host, secrets=host.secrets | secrets)


@pytest.fixture
def may(request: pytest.FixtureRequest) -> Iterator[Account]:
    with throw_away_account(getattr(request, "param", WITH_PASSWORD)) as account:
        yield account


@pytest.fixture(params=[WITH_PASSWORD, WITHOUT_PASSWORD, "Defaults:{user} use_pty\n" + WITH_PASSWORD])
async def rooted(request: pytest.FixtureRequest) -> AsyncIterator[Reachable]:
    """A host whose account may become root, with a password or without one."""
    with throw_away_account(request.param) as account:
        async with host_of(account, sudo_password=account.password) as host:
            yield host


async def fault_of(plugin: SshExecPlugin, host: Reachable, **options: object) -> StepFault:
    with pytest.raises(StepFault) as fault:
        await plugin.start(script("true", sudo=True, **options), host.context())
    assert not fault.value.acted
    return fault.value


async def test_a_command_runs_as_root_with_roots_home(rooted: Reachable, plugin: SshExecPlugin) -> None:
    context = rooted.context()

    outcome = await run(plugin, context, "id -u; echo $HOME; cat", sudo=True, stdin="given\n")

    assert outcome.outcome == "succeeded"
    assert output_of(context).stdout == b"0\n/root\ngiven\n"
    assert output_of(context).stderr == b""


async def test_a_command_runs_as_another_user(may: Account, plugin: SshExecPlugin) -> None:
    with throw_away_account() as other:
        async with host_of(may, password=may.password) as host:
            context = host.context()

            await run(plugin, context, "id -un; pwd", sudo={"user": other.user.pw_name})

            assert output_of(context).stdout.decode().split() == [other.user.pw_name, other.user.pw_dir]


async def test_stop_ends_what_runs_as_root(rooted: Reachable, plugin: SshExecPlugin) -> None:
    context = rooted.context()
    text = "(trap '' TERM; sleep 300) & echo $!; echo $$; trap '' TERM; while :; do sleep 1; done"
    attempt = await plugin.start(script(text, sudo=True), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout.count(b"\n") == 2)
    pids = [int(pid) for pid in output_of(context).stdout.split()]

    assert await attempt.stop()

    assert [pid for pid in pids if is_running(pid)] == []
    assert (await following).exit_code == 137
    folder = Path(str(attempt.handle["folder"]))
    assert folder.stat().st_uid == 0
    await attempt.release()
    assert not folder.exists()


async def test_another_worker_takes_over_what_runs_as_root(
    rooted: Reachable, plugin: SshExecPlugin, other_worker: SshExecPlugin
) -> None:
    context = rooted.context()
    gate = rooted.home / "gate"
    spec = script(f"echo early; until [ -e {gate} ]; do sleep .1; done; echo late", sudo=True)
    lost = await plugin.start(spec, context)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: output_of(context).stdout)
    await let_go(following)
    await lost.detach()
    await plugin.close()
    gate.touch()

    rest = CollectedOutput(start={"stdout": len(output_of(context).stdout)})
    attempt = await other_worker.resume(spec, replace(context, output=rest), lost.handle)
    outcome = await attempt.follow()
    await attempt.release()

    assert (outcome.outcome, rest.stdout) == ("succeeded", b"late\n")


@pytest.mark.provokes("sudo_rejected")
async def test_a_wrong_password_is_said_and_tried_once(plugin: SshExecPlugin, tmp_path: Path) -> None:
    log = tmp_path / "sudo.log"
    with throw_away_account(f"Defaults:{{user}} logfile={log}\n{WITH_PASSWORD}") as account:
        async with host_of(account, sudo_password="wrong-password") as host:
            fault = await fault_of(plugin, host)

        assert await eventually(lambda: log.exists() and "1 incorrect password attempt" in log.read_text())
    assert fault.cause.code == "sudo_rejected"
    assert "wrong-password" not in f"{fault!r} {fault.words}"


@pytest.mark.provokes("sudo_password_missing")
async def test_a_password_that_is_needed_and_missing_is_said(may: Account, plugin: SshExecPlugin) -> None:
    async with host_of(may) as host:
        assert (await fault_of(plugin, host)).cause.code == "sudo_password_missing"


@pytest.mark.provokes("sudo_denied", "sudo_tty")
@pytest.mark.parametrize(
    ("may", "code"),
    [
        ("", "sudo_denied"),
        ("{user} ALL=(ALL) /bin/true", "sudo_denied"),
        ("Defaults:{user} requiretty\n{user} ALL=(ALL) NOPASSWD: ALL", "sudo_tty"),
    ],
    indirect=["may"],
)
async def test_what_sudo_refuses_has_its_cause(may: Account, code: str, plugin: SshExecPlugin) -> None:
    async with host_of(may, sudo_password=may.password) as host:
        assert (await fault_of(plugin, host)).cause.code == code


async def test_a_user_whom_nobody_knows_is_named(may: Account, plugin: SshExecPlugin) -> None:
    """sudo goes on talking after it has said why."""
    async with host_of(may, sudo_password=may.password) as host:
        with pytest.raises(StepFault) as fault:
            await plugin.start(script("true", sudo={"user": "nobody-knows-me"}), host.context())

    assert fault.value.cause.code == "sudo_denied"
    assert "unknown user" in fault.value.message


@pytest.mark.provokes("sudo_missing")
async def test_a_host_without_sudo_is_said_so(may: Account, plugin: SshExecPlugin) -> None:
    async with real_sshd(may.user, options=["SetEnv PATH=/nowhere"]) as host:
        assert (await fault_of(plugin, host)).cause.code == "sudo_missing"


async def test_neither_password_nor_script_can_be_seen_while_it_runs(
    may: Account, plugin: SshExecPlugin
) -> None:
    async with host_of(may, sudo_password=may.password) as host:
        context = host.context(parameters={"token": "t0ken-v4lue"}, secret_parameters=frozenset({"token"}))
        text = "export -n X; echo begun; : {{ token }}; sleep 300"
        attempt = await plugin.start(script(text, sudo=True, shell="bash"), context)
        following = asyncio.create_task(attempt.follow())
        await eventually(lambda: output_of(context).stdout)

        shown = everything_shown()

        assert may.password.encode() not in shown
        assert b"t0ken-v4lue" not in shown
        assert await attempt.stop()
        await following
        await attempt.release()


def everything_shown() -> bytes:
    """Command lines and environments of every process of this machine."""
    shown = b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                shown += (process / name).read_bytes()
            except OSError:
                continue  # it ended meanwhile
    return shown


async def test_sudo_judges_every_command_anew(
    rooted: Reachable, plugin: SshExecPlugin, sessions: Sessions
) -> None:
    first = rooted.context()
    for context in (first, rooted.context(target=first.target, credential=first.credential)):
        assert (await run(plugin, context, "true", sudo=True)).outcome == "succeeded"

    assert len([command for command in sessions if command.startswith("exec sudo")]) >= 2
