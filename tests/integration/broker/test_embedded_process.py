"""The embedded endpoint as its supervisor sees it: addresses, ports, the process, nothing left behind."""

import asyncio
import os
import signal
import socket
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aio_pika
import pytest

from infra.embedded.amqp import AmqpServer
from tests.support.amqp_endpoints import EmbeddedEndpoint
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.raw_amqp import RawAmqp

ROOT = Path(__file__).parents[3]
Start = Callable[[dict[str, str]], Awaitable[Process]]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_only_loopback_addresses_are_served(host: str) -> None:
    with pytest.raises(ValueError, match="loopback addresses only"):
        AmqpServer(host=host, port=0, username="u", password="p")


@pytest.mark.parametrize(("username", "password"), [("", "p"), ("u", "")])
def test_an_empty_login_is_refused(username: str, password: str) -> None:
    with pytest.raises(ValueError, match="needs a username and a password"):
        AmqpServer(port=0, username=username, password=password)


async def test_a_port_in_use_is_an_os_error(embedded: EmbeddedEndpoint) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(OSError, match="address already in use"):
        await AmqpServer(port=taken.getsockname()[1], username="u", password="p").start()


async def test_connections_leave_no_task_and_no_timer_behind() -> None:
    loop, before = asyncio.get_running_loop(), len(asyncio.all_tasks())
    server = AmqpServer(port=0, username="u", password="p")
    await server.start()
    for _number in range(5):
        async with await aio_pika.connect(f"amqp://u:p@127.0.0.1:{server.port}/?heartbeat=1") as connection:
            await connection.channel()

    await server.stop()

    assert await eventually(lambda: _as_before(before))
    pending = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    assert not [handle for handle in pending if "infra.embedded" in repr(handle)]


async def _as_before(before: int) -> bool:
    return len(asyncio.all_tasks()) <= before


@pytest.fixture
async def started() -> AsyncIterator[Start]:
    """Starts the process with these settings, and kills it after the test if it still runs."""
    processes: list[Process] = []

    async def start(settings: dict[str, str]) -> Process:
        own = {f"OPS_EMBEDDED_AMQP_{name}": value for name, value in settings.items()}
        command = (sys.executable, "-m", "infra.embedded.amqp")
        environment = {"PATH": os.environ["PATH"], **own}
        processes.append(await create_subprocess_exec(*command, cwd=ROOT, env=environment, stderr=PIPE))
        return processes[-1]

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_the_process_serves_until_sigterm_and_says_goodbye(started: Start) -> None:
    port = free_port()
    process = await started({"PORT": str(port), "USERNAME": "u", "PASSWORD": "p"})

    async def connected() -> RawAmqp | None:
        try:
            return await RawAmqp.with_channel(f"amqp://u:p@127.0.0.1:{port}/")
        except ConnectionError:
            return None

    raw = await eventually(connected)
    process.send_signal(signal.SIGTERM)

    assert (await raw.connection_close()).reply_code == 320
    await raw.close()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "set OPS_EMBEDDED_AMQP_PORT, OPS_EMBEDDED_AMQP_USERNAME, OPS_EMBEDDED_AMQP_PASSWORD"),
        ({"PORT": "amqp", "USERNAME": "u", "PASSWORD": "p"}, "cannot listen on 127.0.0.1:amqp"),
        ({"PORT": "99999", "USERNAME": "u", "PASSWORD": "p"}, "cannot listen on 127.0.0.1:99999"),
        ({"PORT": "0", "USERNAME": "u", "PASSWORD": "p", "HOST": "0.0.0.0"}, "loopback addresses only"),
    ],
)
async def test_a_process_that_cannot_serve_says_why_in_one_line(
    environment: dict[str, str], why: str, started: Start
) -> None:
    process = await started(environment)

    _, said = await process.communicate()

    assert process.returncode == 1
    assert why in said.decode()
    assert said.decode().count("\n") == 1
    assert "Traceback" not in said.decode()
