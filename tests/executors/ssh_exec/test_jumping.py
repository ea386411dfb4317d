"""Through jump hosts: each hop with its own key and account, one connection for all, failures named."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncssh
import pytest

from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.ssh import (
    Reachable,
    ordinary_user,
    output_of,
    real_sshd,
    run,
    script,
    sshd_is_installed,
)
from workers.executor.steps.base import JumpHop, OpenedCredential, StepContext, StepFault, TargetView
from workers.executor.steps.ssh_exec import Connections, SshExecPlugin

pytestmark = pytest.mark.skipif(not sshd_is_installed(), reason="needs an OpenSSH server")


@pytest.fixture
async def bastion() -> AsyncIterator[Reachable]:
    user = ordinary_user()
    if user is None:
        pytest.skip("no ordinary account with a login shell on this machine")
    async with real_sshd(user) as host:
        yield host


@pytest.fixture
async def inner() -> AsyncIterator[Reachable]:
    async with real_sshd(pwd.getpwuid(os.getuid())) as host:
        yield host


def hop(host: Reachable, *, before: JumpHop | None = None) -> JumpHop:
    return JumpHop(target=replace(host.target, name="bastion", jump=before), credential=host.credential)


def through(host: Reachable, jump: JumpHop) -> StepContext:
    return host.context(target=replace(host.target, jump=jump))


def carriers_of(plugin: SshExecPlugin) -> list[asyncssh.SSHClientConnection]:
    return [carrier.connection for carrier in plugin._connections._carriers._open.values()]


async def test_a_target_is_reached_through_its_jump_host(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    context = through(inner, hop(bastion))

    outcome = await run(plugin, context, "id -un")

    assert outcome.outcome == "succeeded"
    assert output_of(context).stdout.decode().strip() == inner.username
    [carrier] = carriers_of(plugin)
    assert carrier.get_extra_info("peername")[1] == bastion.port


async def test_two_hops_are_gone_one_after_the_other(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    far = hop(bastion)
    near = JumpHop(target=replace(inner.target, jump=far), credential=inner.credential)

    outcome = await run(plugin, through(inner, near), "true")

    assert outcome.outcome == "succeeded"
    assert len(carriers_of(plugin)) == 2


async def test_many_targets_share_one_connection_to_the_jump_host(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    jump = hop(bastion)

    await asyncio.gather(*(run(plugin, through(inner, jump), "true") for _ in range(8)))

    assert len(carriers_of(plugin)) == 1


async def test_a_connection_to_a_jump_host_is_closed_when_nothing_goes_through(
    bastion: Reachable, inner: Reachable
) -> None:
    plugin = SshExecPlugin(Connections(idle_seconds=0.05))
    await run(plugin, through(inner, hop(bastion)), "true")
    [carrier] = carriers_of(plugin)

    await carrier.wait_closed()

    assert carriers_of(plugin) == []
    assert (await run(plugin, through(inner, hop(bastion)), "true")).outcome == "succeeded"
    await plugin.close()


async def test_a_command_goes_on_when_the_jump_host_drops_the_connection(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    context = through(inner, hop(bastion))
    attempt = await plugin.start(script("echo begun; sleep 1; echo done"), context)
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: output_of(context).stdout)
    for carrier in carriers_of(plugin):
        carrier.abort()

    assert (await following).outcome == "succeeded"
    assert output_of(context).stdout == b"begun\ndone\n"
    await attempt.release()


async def fault_of(plugin: SshExecPlugin, context: StepContext) -> StepFault:
    with pytest.raises(StepFault) as fault:
        await plugin.start(script("true"), context)
    assert not fault.value.acted
    return fault.value


def other_settings(target: TargetView, **changes: object) -> TargetView:
    return replace(target, ssh=target.ssh.model_copy(update=changes))


async def test_a_jump_host_with_another_key_is_not_gone_through(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    jump = hop(bastion)
    jump = replace(jump, target=other_settings(jump.target, host_key=other))

    fault = await fault_of(plugin, through(inner, jump))

    assert fault.cause.code == "host_key_mismatch"
    assert "jump host" in str(fault.words["detail"])
    assert fault.words["port"] == bastion.port


async def test_a_target_behind_a_jump_host_is_verified_all_the_same(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    context = through(inner, hop(bastion))
    assert context.target is not None

    fault = await fault_of(plugin, replace(context, target=other_settings(context.target, host_key=other)))

    assert (fault.cause.code, fault.words["port"]) == ("host_key_mismatch", inner.port)


@pytest.mark.provokes("jump_rejected")
async def test_a_rejection_by_the_jump_host_is_its_own_cause_and_not_repeated(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    jump = hop(bastion)
    jump = replace(jump, credential=replace(jump.credential, secrets={"private_key": stranger}))

    faults = await asyncio.gather(*(fault_of(plugin, through(inner, jump)) for _ in range(5)))

    assert {fault.cause.code for fault in faults} == {"jump_rejected"}
    assert {fault.words["jump_host"] for fault in faults} == {"bastion"}
    assert len({id(fault) for fault in faults}) == 1, "one try, told to all"


@pytest.mark.provokes("jump_refused")
async def test_a_jump_host_that_does_not_pass_on_is_said_so(inner: Reachable, plugin: SshExecPlugin) -> None:
    async with real_sshd(pwd.getpwuid(os.getuid()), options=["AllowTcpForwarding no"]) as closed:
        fault = await fault_of(plugin, through(inner, hop(closed)))

    assert (fault.cause.code, fault.words["port"]) == ("jump_refused", inner.port)


async def test_a_target_that_the_jump_host_cannot_reach_is_unreachable(
    bastion: Reachable, inner: Reachable, plugin: SshExecPlugin
) -> None:
    nowhere = free_port()
    context = through(inner, hop(bastion))
    assert context.target is not None

    fault = await fault_of(plugin, replace(context, target=other_settings(context.target, port=nowhere)))

    assert (fault.cause.code, fault.words["port"]) == ("unreachable", nowhere)
    assert "jump host" in str(fault.words["detail"])


@dataclass
class Turns:
    """`Logins` that note who got a turn, and whether somebody held two at once."""

    given: list[str] = field(default_factory=list)
    open: int = 0
    most: int = 0
    held: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def first(
        self, target: TargetView, credential: OpenedCredential, *, run_id: UUID | None = None
    ) -> AsyncIterator[None]:
        if target.name in self.held:
            raise StepFault("credential_held", host=target.hostname, detail="rejected before")
        self.given.append(target.name)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            yield
        except StepFault as fault:
            if fault.cause.code == "auth_rejected":
                self.held.add(target.name)
            raise
        finally:
            self.open -= 1


async def test_jump_host_and_target_are_logged_in_to_in_one_turn_after_the_other(
    bastion: Reachable, inner: Reachable
) -> None:
    """Nobody waits for a turn while he holds one: with one credential for both that would be for himself."""
    turns = Turns()
    plugin = SshExecPlugin(Connections(logins=turns))
    far = hop(bastion)
    near = JumpHop(target=replace(inner.target, name="near", jump=far), credential=inner.credential)

    await run(plugin, through(inner, near), "true")

    assert (turns.given, turns.most) == (["bastion", "near", "host"], 1)
    await plugin.close()


async def test_a_jump_host_that_holds_its_credential_back_is_not_asked_and_said_to_be_unusable(
    bastion: Reachable, inner: Reachable
) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    jump = hop(bastion)
    jump = replace(jump, credential=replace(jump.credential, secrets={"private_key": stranger}))
    turns = Turns()
    plugins = [SshExecPlugin(Connections(logins=turns)) for _ in range(2)]

    codes = [(await fault_of(plugin, through(inner, jump))).cause.code for plugin in (*plugins, *plugins)]

    assert codes == ["jump_rejected", "jump_missing", "jump_missing", "jump_missing"]
    assert turns.given == ["bastion"]
    turns.held.clear()
    plugin = plugins[0]
    assert (await run(plugin, through(inner, hop(bastion)), "true")).outcome == "succeeded", "once released"
    for plugin in plugins:
        await plugin.close()
