"""Shells under the names we give them: opened, and removed whether they are there or not."""

import asyncio
from collections.abc import Iterable

from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.faults import Situation
from workers.executor.steps.winrm.transport import WinrmClient


async def open_named(connection: Connection, name: str, *, idle: str | None = None) -> str:
    """The id of a new shell: `name`, or what a host says that does not let clients choose. Raises Troubled.

    A shell that already has the name is a left-over of the same holder, of which it has no use. `idle`: after
    how long without use the host deletes it (an xs:duration), 15 minutes when left out.
    """
    try:
        return await connection.run(WinrmClient.open_shell, name, idle=idle)
    except Troubled as trouble:
        if trouble.diagnosis.situation is Situation.TAKEN:
            await delete(connection, name)
            return await connection.run(WinrmClient.open_shell, name, idle=idle)
        if trouble.diagnosis.code == "remote_fault":
            return await connection.run(WinrmClient.open_shell, idle=idle)
        raise


async def delete(connection: Connection, shell_id: str) -> None:
    """End a shell and all in it; one that is gone already is as good. Raises Troubled."""
    try:
        await connection.run(WinrmClient.delete_shell, shell_id)
    except Troubled as trouble:
        if trouble.diagnosis.situation is not Situation.VANISHED:
            raise


async def forget(connection: Connection, shell_ids: Iterable[str], *, within: float) -> bool:
    """Delete shells nobody needs. False when the host did not let us: it does so after 15 idle minutes."""
    try:
        async with asyncio.timeout(within):
            for shell_id in shell_ids:
                await delete(connection, shell_id)
    except (Troubled, TimeoutError):
        await connection.drop()
        return False
    return True
