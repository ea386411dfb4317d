"""What the simulated Linux host promises to those who start and stop it."""

import asyncio
import gc
import warnings

import asyncssh

from infra.sandbox.ssh_host import SshHost

_COMMANDS = ["echo there; exec sleep 300"] * 7 + ["echo there; exec env -i sleep 300"]
"""The last one cannot be told from other processes by its environment."""


async def _left_running_by_a_host() -> None:
    host = SshHost("demo", "sandbox-password")
    await host.start()
    try:
        connection = await asyncssh.connect(
            "127.0.0.1",
            host.port,
            username="demo",
            password="sandbox-password",
            known_hosts=None,
            config=None,
        )
        processes = [await connection.create_process(command) for command in _COMMANDS]
        for process in processes:
            assert await process.stdout.readline() == "there\n"
        connection.abort()
    finally:
        await host.stop()


def test_a_host_that_was_stopped_has_seen_the_end_of_everything_it_ran() -> None:
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(_left_running_by_a_host())
        gc.collect()

    assert [str(complaint.message) for complaint in complaints if "transport" in str(complaint.message)] == []
