"""Every promise is held against a real OpenSSH server, as root and not; without one, the sandbox host."""

import shutil
from collections.abc import AsyncIterator, Iterator

import asyncssh
import pytest

from tests.support.ssh import Reachable, sandbox, sshd_is_installed
from workers.executor.steps.ssh_exec import SshExecPlugin

Sessions = list[str]
HOSTS = ("sshd_of_root", "sshd_of_somebody") if sshd_is_installed() else ("demo",)


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Iterator[Reachable]:
    """A host with an empty home; the server is started once for all tests."""
    reachable: Reachable = request.getfixturevalue(request.param)
    yield reachable
    _empty(reachable)


def _empty(host: Reachable) -> None:
    """Take away what a test left in the home; what still runs there may lose a file meanwhile."""
    for path in host.home.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


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


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """The commands of the sessions opened from now on."""
    opened: Sessions = []
    create = asyncssh.SSHClientConnection.create_session

    async def create_session(connection, factory, command, **options):  # type: ignore[no-untyped-def]
        opened.append(command)
        return await create(connection, factory, command, **options)

    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_session", create_session)
    return opened
