"""Host keys: what a server shows before anybody logs in, and which of them is negotiated."""

import pwd
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncssh
import pytest

from tests.support.ports import free_port
from tests.support.ssh import Reachable, ordinary_user, real_sshd, run, sshd_is_installed
from workers.executor.steps.base import StepFault
from workers.executor.steps.ssh_exec import SshExecPlugin
from workers.executor.steps.ssh_exec.presented import presented_keys

TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")


@pytest.fixture
async def many_keys() -> AsyncIterator[Reachable]:
    """A real sshd with a host key of every usual type; `host_key` holds them all."""
    user: pwd.struct_passwd | None = ordinary_user()
    if not sshd_is_installed() or user is None:
        pytest.skip("no OpenSSH server on this machine (Debian: openssh-server)")
    async with real_sshd(user, host_key_types=TYPES) as host:
        yield host


async def test_a_host_shows_its_key_without_being_told_who_asks(host: Reachable) -> None:
    [shown] = await presented_keys(host.target)

    assert shown.line.split()[:2] == host.host_key.split()[:2]
    assert shown.fingerprint == asyncssh.import_public_key(host.host_key).get_fingerprint()


async def test_every_type_of_key_is_shown(many_keys: Reachable) -> None:
    shown = await presented_keys(many_keys.target)

    assert tuple(key.algorithm for key in shown) == TYPES
    assert [key.line.split()[1] for key in shown] == [
        line.split()[1] for line in many_keys.host_key.splitlines()
    ]


@pytest.mark.parametrize("number", range(len(TYPES)))
async def test_the_type_that_is_pinned_is_the_one_that_is_negotiated(
    many_keys: Reachable, plugin: SshExecPlugin, number: int
) -> None:
    pinned = many_keys.host_key.splitlines()[number]

    outcome = await run(plugin, many_keys.with_settings(host_key=pinned), "true")

    assert outcome.outcome == "succeeded"


async def test_a_port_where_nobody_listens_is_unreachable(demo: Reachable) -> None:
    target = replace(demo.target, ssh=demo.target.ssh.model_copy(update={"port": free_port()}))

    with pytest.raises(StepFault) as fault:
        await presented_keys(target)

    assert fault.value.cause.code == "unreachable"
