"""One `up` for all tests that leave it as it is."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.up import Up, an_up

CHOSEN_PASSWORD = "an-Unlikely-phrase-7301"


@pytest.fixture(scope="session")
def running() -> Iterator[Up]:
    """After its first start, serving; the command line is signed in with a password of its own."""
    with an_up() as up:
        up.start()
        asyncio.run(up.serving())
        signed_in = up.sign_in(up.password())
        assert signed_in.code == 0, signed_in
        chosen = up.choose_password(up.password(), CHOSEN_PASSWORD)
        assert chosen.code == 0, chosen
        yield up
        asyncio.run(up.stop())
