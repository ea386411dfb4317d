"""Every promise is held against the sandbox host and a real OpenSSH server, as root and not."""

import os
import pwd
from collections.abc import AsyncIterator

import pytest

from tests.support.ssh import Reachable, ordinary_user, real_sshd, sandbox, sshd_is_installed
from workers.executor.steps.ssh_exec import SshExecPlugin


@pytest.fixture(params=["sandbox", "sshd-root", "sshd-ordinary"])
async def host(request: pytest.FixtureRequest) -> AsyncIterator[Reachable]:
    if request.param == "sandbox":
        async with sandbox() as reachable:
            yield reachable
        return
    if not sshd_is_installed():
        pytest.skip("no OpenSSH server on this machine (Debian: openssh-server)")
    if request.param == "sshd-root" and os.getuid() != 0:
        pytest.skip("only root can let root log in")
    user = pwd.getpwuid(0) if request.param == "sshd-root" else ordinary_user()
    if user is None:
        pytest.skip("no ordinary account with a login shell on this machine")
    async with real_sshd(user) as reachable:
        yield reachable


@pytest.fixture
async def demo() -> AsyncIterator[Reachable]:
    """The sandbox host alone, for promises that do not depend on the server."""
    async with sandbox() as reachable:
        yield reachable


@pytest.fixture
async def plugin() -> AsyncIterator[SshExecPlugin]:
    plugin = SshExecPlugin()
    yield plugin
    await plugin.close()


@pytest.fixture
async def other_worker() -> AsyncIterator[SshExecPlugin]:
    plugin = SshExecPlugin()
    yield plugin
    await plugin.close()
