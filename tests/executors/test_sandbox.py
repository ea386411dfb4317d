"""The sandbox as a process: it says where it listens, keeps its host key, and ends what it started."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import orjson
import pytest

from tests.support.eventually import eventually
from tests.support.ssh import is_running, sandbox

PASSWORD = "a-sandbox-password"


def environment(**more: str) -> dict[str, str]:
    names = {"OPS_SANDBOX_USERNAME": "demo", "OPS_SANDBOX_PASSWORD": PASSWORD}
    return {"PATH": os.environ["PATH"]} | names | more


@asynccontextmanager
async def sandbox_process(**more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "infra.sandbox",
        env=environment(**more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def endpoints(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = orjson.loads(await process.stdout.readline())
    return told


def login(port: int, host_key: str) -> Any:
    return asyncssh.connect(
        "127.0.0.1",
        port,
        config=None,
        known_hosts=([asyncssh.import_public_key(host_key)], [], []),
        username="demo",
        password=PASSWORD,
        client_keys=None,
        agent_path=None,
    )


async def test_it_says_where_it_listens_serves_and_ends_on_sigterm() -> None:
    async with sandbox_process() as process:
        ssh = (await endpoints(process))["ssh"]
        async with login(ssh["port"], ssh["host_key"]) as connection:
            answer = await connection.run("echo hello; echo secret: $OPS_SANDBOX_PASSWORD; exit 3")

        process.send_signal(signal.SIGTERM)

        assert (answer.stdout, answer.exit_status) == ("hello\nsecret:\n", 3)
        assert await process.wait() == 0


async def test_a_stored_host_key_survives_restarts_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "host_key"
    keys: list[str] = []
    for _ in range(2):
        async with sandbox_process(OPS_SANDBOX_SSH_HOST_KEY_FILE=str(file)) as process:
            keys.append((await endpoints(process))["ssh"]["host_key"])

    assert keys[0] == keys[1]
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_taken_port_is_named() -> None:
    async with sandbox() as taken, sandbox_process(OPS_SANDBOX_SSH_PORT=str(taken.port)) as process:
        _out, err = await process.communicate()

    assert process.returncode == 1
    assert f"127.0.0.1:{taken.port} (OPS_SANDBOX_SSH_PORT) is taken" in err.decode()


async def test_every_missing_setting_is_named_at_once() -> None:
    nothing = {"OPS_SANDBOX_USERNAME": "", "OPS_SANDBOX_PASSWORD": "", "OPS_SANDBOX_SSH_PORT": "x"}
    async with sandbox_process(**nothing) as process:
        _out, err = await process.communicate()

    assert process.returncode == 1
    assert all(name in err.decode() for name in nothing)


@pytest.mark.parametrize("escape", ["", "setsid "])
async def test_stopping_the_host_ends_what_it_started(escape: str) -> None:
    async with sandbox() as host:
        connection = await asyncssh.connect(
            "127.0.0.1",
            host.port,
            config=None,
            known_hosts=None,
            username=host.username,
            password=host.secrets["password"],
            client_keys=None,
            agent_path=None,
        )
        process = await connection.create_process(f"{escape}sh -c 'echo $$; exec sleep 300' & wait")
        pid = int(await process.stdout.readline())
        process.close()
        assert is_running(pid)

    await eventually(lambda: not is_running(pid))
    connection.close()
    await connection.wait_closed()
