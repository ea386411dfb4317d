"""What a killed cmd script leaves on its host: the batch file that its runner removes at the end."""

import contextlib

from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.shells import open_named
from workers.executor.steps.winrm.transport import WinrmClient

RECEIVES = 3


async def remove_batch_file(connection: Connection, name: str, nonce: str) -> None:
    """Delete the file, if it is there, with a command in a shell called `name`. Raises Troubled."""
    shell_id = await open_named(connection, name)
    try:
        await _delete(connection, shell_id, nonce)
    finally:
        with contextlib.suppress(Troubled):
            await connection.run(WinrmClient.delete_shell, shell_id)


async def _delete(connection: Connection, shell_id: str, nonce: str) -> None:
    arguments = ("/f", "/q", f'"{batch_file(nonce)}"')
    command_id = await connection.run(WinrmClient.start_command, shell_id, "del", arguments)
    for _ in range(RECEIVES):
        frame = await connection.run(WinrmClient.receive, shell_id, command_id)
        if frame is not None and frame.exit_code is not None:
            return


def batch_file(nonce: str) -> str:
    """Where the script with this nonce lies, as cmd writes it."""
    return rf"%TEMP%\ops-{nonce}.cmd"
