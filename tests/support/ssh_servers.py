"""OpenSSH servers that all tests of a session share: one lets root in, one an ordinary account."""

import os
import pwd
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.ssh import Reachable, ordinary_user, real_sshd


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sshd_of_root() -> AsyncIterator[Reachable]:
    if os.getuid() != 0:
        pytest.skip("only root can let root log in")
    async with real_sshd(pwd.getpwuid(0)) as reachable:
        yield reachable


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sshd_of_somebody() -> AsyncIterator[Reachable]:
    user = ordinary_user()
    if user is None:
        pytest.skip("no ordinary account with a login shell on this machine")
    async with real_sshd(user) as reachable:
        yield reachable
